/** The public face of the text room. */
export { Detokenizer, type DetokenizerOptions } from './detokenizer';
export {
  ArgumentError,
  TemplateError,
  TextError,
  TokenizerError,
  UnsupportedError,
  type TextErrorCode,
} from './errors';
export { ggufTemplates, tokenizerFromGguf, type GgufMetadata } from './from-gguf';
export { tokenizerFromJson, type JsonExtras } from './from-json';
export type { TemplateLimits } from './jinja-budget';
export type { ChatMessage, TextPart, Tool, ToolCall } from './messages';
export { PRE_NAMES } from './pre-names';
export type { Origin, Segment } from './specials';
export { StopMatcher } from './stop';
export {
  ChatTemplate,
  jsonTemplates,
  type NamedTemplate,
  type RenderedPrompt,
  type RenderOptions,
  type TemplateSupport,
} from './template';
export { Tokenizer, type EncodeOptions, type TextOptions, type TokenRoles } from './tokenizer';
export { Kind, Vocabulary } from './vocabulary';
