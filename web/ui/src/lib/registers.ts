/** Books that are read with GET: the feed only says that they changed, and who shows one reads it again. */
import { board, useBoard } from "./live";

/** A register's edition, for the key of a query; 0 until anything was written in it. */
export function useRegister(name: string): number {
  useBoard();
  return board.registers().find((each) => each.name === name)?.version ?? 0;
}
