/** A model that a conversation can be had with. */
export interface ModelEntry {
  /** As `ChatSettings.model` names it. */
  readonly url: string;
  readonly name: string;
  readonly bytes: number;
}
