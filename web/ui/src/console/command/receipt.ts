/** What became of the last sending, honestly: it goes, the server has it, each crew said that it heard. Never earlier than it is so. */
import { createStore } from "zustand/vanilla";

export interface Receipt {
  state: "sending" | "sent" | "failed";
  /** Of the incident; null while it is being made. */
  incident: { id: string; code: string } | null;
  at: number | null;
  why: string | null;
}

export const receipt = createStore<{ last: Receipt | null }>(() => ({ last: null }));
export const tell = (last: Receipt | null): void => receipt.setState({ last });
