import { useQuery } from "@tanstack/react-query";
import { handovers } from "../../lib/handover";
import { useRegister } from "../../lib/registers";

/** The last pages of the book of hand-overs, read again when one is written or received. */
export function useBook() {
  const edition = useRegister("handovers");
  return useQuery({ queryKey: ["handovers", edition], queryFn: handovers, placeholderData: (held) => held });
}
