/** Everything the desk of resources can ask for; and its books, read again when the feed says that they changed. */
import { useQuery } from "@tanstack/react-query";
import { api, newId } from "./api";
import { useRegister } from "./registers";
import { onDuty } from "./verbs";
import type { Capability, Capacity, Facility, Imported, Organization, Photo, Piece, StockItem, StockMove, Unit, UnitSheet, Vehicle, Zone } from "./wire";

const post = <T = unknown>(path: string, body: object = {}, version?: number): Promise<T> => api<T>(path, { method: "POST", body, version });

// ── Units ────────────────────────────────────────────────────────────────────────────────────────

export interface NewUnit {
  id: string;
  call_sign: string;
  kind: string;
  organization_id: string;
}

export const addUnit = (unit: NewUnit) => post<{ id: string }>("/units", unit);
/** One field of a unit, as it was read at its version. */
export const amendUnit = (unit: Unit, field: string, body: object) => post(`/units/${unit.id}/${field}`, body, unit.version);
export const retireUnit = (unit: Unit) => post(`/units/${unit.id}/retire`, {}, unit.version);
export const reinstateUnit = (id: string) => post(`/units/${id}/reinstate`);
export const importUnits = (file: Blob, apply: "none" | "all" | "good", rows?: number) =>
  api<Imported>(`/units/import?apply=${apply}${rows === undefined ? "" : `&rows=${rows}`}`, { raw: { body: file, type: "text/csv" } });
export const EXPORT = "/api/v1/units/export";

export const useSheet = (unit: string) => {
  const edition = useRegister("equipment");
  return useQuery({ queryKey: ["sheet", unit, edition], queryFn: () => api<UnitSheet>(`/units/${unit}/sheet`), placeholderData: (held) => (held?.id === unit ? held : undefined) });
};
export const useRetired = () => useQuery({ queryKey: ["retired"], queryFn: async () => (await api<{ units: { id: string; call_sign: string; retired_at: string }[] }>("/units/retired")).units });

export const useOrganizations = () => useQuery({ queryKey: ["organizations"], queryFn: async () => (await api<{ organizations: Organization[] }>("/organizations")).organizations, staleTime: 60_000 }).data ?? [];
export const useZoneNames = () => useQuery({ queryKey: ["zone-names"], queryFn: async () => (await api<{ features: Zone[] }>("/zones")).features.map(({ properties }) => properties), staleTime: 60_000 }).data ?? [];

/** Who is on each unit now, by the unit's id; nobody for who may not know. */
export function useCrews() {
  const edition = useRegister("shifts");
  const { data } = useQuery({ queryKey: ["crews", edition], queryFn: onDuty, retry: false, refetchInterval: 60_000, placeholderData: (held) => held });
  return new Map(data?.units.map((one) => [one.unit_id, one]));
}

// ── Capabilities ─────────────────────────────────────────────────────────────────────────────────

export function useCapabilities(): Capability[] {
  const edition = useRegister("capabilities");
  return useQuery({ queryKey: ["capabilities", edition], queryFn: async () => (await api<{ capabilities: Capability[] }>("/capabilities")).capabilities, placeholderData: (held) => held }).data ?? [];
}
export const addCapability = (made: { code: string; name: string; description: string; measure: string | null }) => post("/capabilities", { id: newId(), ...made });
export const amendCapability = ({ code, version }: Capability, field: string, body: object) => post(`/capabilities/${encodeURIComponent(code)}/${field}`, body, version);

// ── Vehicles and equipment ───────────────────────────────────────────────────────────────────────

export function useVehicles(enabled: boolean): Vehicle[] {
  const edition = useRegister("equipment");
  return useQuery({ queryKey: ["vehicles", edition], enabled, queryFn: async () => (await api<{ vehicles: Vehicle[] }>("/vehicles")).vehicles, placeholderData: (held) => held }).data ?? [];
}
export const addVehicle = (made: Partial<Vehicle> & { unit_id: string | null }) => post<Vehicle>("/vehicles", { id: newId(), ...made });
export const amendVehicle = ({ id, version }: Vehicle, changes: object) => post<Vehicle>(`/vehicles/${id}`, changes, version);
export const postVehicle = (vehicle: string, unit_id: string | null) => post<Vehicle>(`/vehicles/${vehicle}/unit`, { unit_id });
export const retireVehicle = ({ id, version }: Vehicle) => post(`/vehicles/${id}/retire`, {}, version);
export const addPiece = (unit: string, made: object) => post<Piece>(`/units/${unit}/equipment`, { id: newId(), ...made });
export const amendPiece = ({ id, version }: Piece, changes: object) => post<Piece>(`/equipment/${id}`, changes, version);
export const removePiece = ({ id, version }: Piece) => post(`/equipment/${id}/remove`, {}, version);

// ── Photos ───────────────────────────────────────────────────────────────────────────────────────

export const photoAddress = (id: string, size: "whole" | "small") => `/api/v1/photos/${id}?size=${size}`;
export function addPhoto(subject: string, file: File, id: string): Promise<Photo> {
  const form = new FormData();
  form.append("file", file);
  return api<Photo>(`/photos?id=${id}&subject=${subject}`, { raw: { body: form } });
}
export const deletePhoto = (id: string) => api(`/photos/${id}`, { method: "DELETE" });

// ── Facilities and stock ─────────────────────────────────────────────────────────────────────────

export function useFacilities() {
  const edition = useRegister("facilities");
  return useQuery({ queryKey: ["facilities", edition], queryFn: async () => (await api<{ features: Facility[] }>("/facilities")).features, placeholderData: (held) => held });
}
export function useFacility(id: string) {
  const edition = useRegister("facilities");
  return useQuery({ queryKey: ["facility", id, edition], queryFn: () => api<Facility>(`/facilities/${id}`), placeholderData: (held) => (held?.id === id ? held : undefined) });
}
export const addFacility = (made: object) => post<Facility>("/facilities", { id: newId(), ...made });
export const amendFacility = ({ id, properties }: Facility, changes: object) => post<Facility>(`/facilities/${id}`, changes, properties.version);
export const serviceOf = ({ id, properties }: Facility, out_of_service: string | null) => post<Facility>(`/facilities/${id}/service`, { out_of_service }, properties.version);
export const closeFacility = ({ id, properties }: Facility) => post(`/facilities/${id}/close`, {}, properties.version);
const capacity = (facility: string, kind: string) => `/facilities/${facility}/capacities/${encodeURIComponent(kind)}`;
export const setCapacity = (facility: string, kind: string, told: { total: number | null; free: number; note: string }) => post<Capacity>(capacity(facility, kind), told);
export const changeCapacity = (facility: string, kind: string, by: number) => post<Capacity>(`${capacity(facility, kind)}/change`, { by });
export const dropCapacity = (facility: string, kind: string) => post(`${capacity(facility, kind)}/drop`);

export function useStock() {
  const edition = useRegister("equipment");
  return useQuery({ queryKey: ["stock", edition], queryFn: async () => (await api<{ stock: StockItem[] }>("/stock")).stock, placeholderData: (held) => held });
}
export const useMoves = ({ id, version }: StockItem) => useQuery({ queryKey: ["moves", id, version], queryFn: async () => (await api<{ moves: StockMove[] }>(`/stock/${id}/moves`)).moves, placeholderData: (held) => held });
export const addStock = (made: object) => post<StockItem>("/stock", { id: newId(), ...made });
export const moveStock = (item: string, id: string, kind: StockMove["kind"], quantity: number, reason: string) => post<StockItem>(`/stock/${item}/moves`, { id, kind, quantity, reason });
export const amendStock = ({ id, version }: StockItem, changes: object) => post<StockItem>(`/stock/${id}`, changes, version);
export const removeStock = ({ id, version }: StockItem) => post(`/stock/${id}/remove`, {}, version);
