/** Only tests/oracles has these packages; what is used of them is said in types.ts. */
declare module 'openai' {
  export const OpenAI: import('./types').Clients['OpenAI'];
}

declare module '@langchain/openai' {
  export const ChatOpenAI: import('./types').Clients['ChatOpenAI'];
}

declare module '@ai-sdk/openai-compatible' {
  export const createOpenAICompatible: import('./types').Clients['createOpenAICompatible'];
}

declare module 'ai' {
  type Ai = import('./types').AiSdk;
  export const generateText: Ai['generateText'];
  export const streamText: Ai['streamText'];
  export const generateObject: Ai['generateObject'];
  export const jsonSchema: Ai['jsonSchema'];
  export const tool: Ai['tool'];
}
