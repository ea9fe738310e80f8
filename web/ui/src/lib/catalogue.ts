import { useQuery } from "@tanstack/react-query";
import { useMemo } from "react";
import { catalogue as fetchCatalogue } from "./verbs";
import type { Catalogue, IncidentType } from "./wire";

const EMPTY: Catalogue = { version: 0, types: [], priorities: [], dispositions: [], dismissals: [], groups: [], agencies: [] };

export function useCatalogue(): Catalogue & { type: (code: string | null | undefined) => IncidentType | undefined } {
  const { data = EMPTY } = useQuery({ queryKey: ["catalogue"], queryFn: fetchCatalogue, staleTime: 300_000 });
  return useMemo(() => {
    const byCode = new Map(data.types.map((type) => [type.code, type]));
    return { ...data, type: (code) => byCode.get(code ?? "") };
  }, [data]);
}
