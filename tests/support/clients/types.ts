/** As much of the clients as the suite uses; nothing here knows their own types. */
export interface OpenAiChunk {
  readonly choices: readonly { readonly delta: { readonly content?: string } }[];
  readonly usage?: { readonly total_tokens: number } | null;
}

export interface Completion {
  readonly choices: readonly {
    readonly finish_reason: string;
    readonly message: {
      readonly content: string | null;
      readonly tool_calls?: readonly { readonly function: { readonly name: string; readonly arguments: string } }[];
    };
  }[];
  readonly usage: { readonly prompt_tokens: number; readonly completion_tokens: number; readonly total_tokens: number };
}

export interface OpenAi {
  readonly models: { list(): Promise<{ data: { id: string }[] }> };
  readonly completions: { create(body: object): Promise<{ choices: { text: string }[] }> };
  readonly chat: { readonly completions: { create<T>(body: object, options?: object): Promise<T> } };
}

export interface AiSdk {
  generateText(options: object): Promise<{
    text: string;
    finishReason: string;
    toolCalls: readonly { toolName: string; input: unknown }[];
  }>;
  streamText(options: object): { textStream: AsyncIterable<string>; usage: Promise<{ totalTokens?: number }> };
  generateObject(options: object): Promise<{ object: unknown }>;
  jsonSchema(schema: object): unknown;
  tool(options: object): unknown;
}

export interface LangChain {
  invoke(input: string, options?: object): Promise<{ content: string; tool_calls?: readonly object[] }>;
  stream(input: string, options?: object): Promise<AsyncIterable<{ content: string }>>;
  bindTools(tools: readonly object[], options?: object): LangChain;
  withStructuredOutput(schema: object, options: object): { invoke(input: string): Promise<unknown> };
}

export interface Clients {
  readonly OpenAI: new (options: object) => OpenAi;
  readonly ai: AiSdk;
  readonly createOpenAICompatible: (options: object) => (name: string) => unknown;
  readonly ChatOpenAI: new (options: object) => LangChain;
}
