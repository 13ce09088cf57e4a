/** What is asked of a server: the engine's words in OpenAI's. */
import type { ToolCall } from '$lib/text/messages';
import { EngineError } from '../engine-error';
import type { AnswerSettings, Ask, ChatMessage, Sampling } from '../protocol';
import type { RemoteModel } from './models';

/** A body for `/chat/completions`. Throws an EngineError, `ability`, for what has no word in it. */
export function requestBody(request: Ask & AnswerSettings, { id, maker }: RemoteModel): object {
  const { sampling = {}, maxTokens, stop = [], logprobs, grammar, masked } = request;
  if (!('messages' in request)) throw inability('Plain texts and ids cannot be sent to a server; conversations can.');
  if (masked || grammar !== undefined) throw inability('A server cannot be given our grammars.');
  if (logprobs !== undefined) throw inability('Log-probabilities are not asked of servers.');
  const { messages, tools = [], continues = false } = request;
  return {
    model: id,
    messages: messages.map(wireMessage),
    ...(tools.length > 0 && { tools }),
    ...samplingFields(sampling, maker === 'llamacpp' ? 'repeat_penalty' : 'repetition_penalty'),
    ...(maxTokens !== undefined && { max_tokens: maxTokens }),
    ...(stop.length > 0 && { stop }),
    // Others go on with an answer at the end by themselves, or begin a new one.
    ...(continues &&
      (maker === 'fireside' || maker === 'vllm') && { continue_final_message: true, add_generation_prompt: false }),
    stream: true,
    stream_options: { include_usage: true },
  };
}

/** Earlier thoughts stay here: some servers refuse them, and none wants them. */
function wireMessage({ role, content, tool_calls: calls, tool_call_id: callId, name }: ChatMessage): object {
  return {
    role,
    content: content ?? null,
    ...(calls && calls.length > 0 && { tool_calls: calls.map(wireCall) }),
    ...(callId !== undefined && { tool_call_id: callId }),
    ...(name !== undefined && { name }),
  };
}

function wireCall({ id, function: { name, arguments: given } }: ToolCall): object {
  const text = typeof given === 'string' ? given : JSON.stringify(given);
  return { ...(id !== undefined && { id }), type: 'function', function: { name, arguments: text } };
}

/** What is not set is left to the server, which knows its model. */
function samplingFields(sampling: Sampling, repetition: string): object {
  const names = {
    temperature: 'temperature',
    topP: 'top_p',
    topK: 'top_k',
    minP: 'min_p',
    typicalP: 'typical_p',
    repetitionPenalty: repetition,
    presencePenalty: 'presence_penalty',
    frequencyPenalty: 'frequency_penalty',
    seed: 'seed',
    logitBias: 'logit_bias',
  } satisfies Record<keyof Sampling, string>;
  // JSON has no -Infinity; this is what forbids a token there.
  const biases = Object.entries(sampling.logitBias ?? {}).map(([id, bias]) => [id, Math.max(bias, -100)]);
  const all = { ...sampling, ...(sampling.logitBias && { logitBias: Object.fromEntries(biases) as object }) };
  const given = Object.entries(all).filter(([, value]) => value !== undefined);
  return Object.fromEntries(given.map(([name, value]) => [names[name as keyof Sampling], value]));
}

function inability(message: string): EngineError {
  return new EngineError({ code: 'ability', message });
}
