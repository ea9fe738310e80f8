/** The one way to the REST API: same origin, JSON, problems as errors, and a session that ends is told once. */
import { t } from "./i18n";
import { inPast } from "./moment";
import type { Problem } from "./wire";

const BASE = "/api/v1";
const TIMEOUT = 12_000;
const UPLOAD_TIMEOUT = 90_000; // a photo over a slow line

export class Refusal extends Error {
  constructor(readonly problem: Problem) {
    super(problem.title);
    this.name = "Refusal";
  }
  get status(): number {
    return this.problem.status;
  }
  /** Nothing answered: the text is kept and may be sent again with the same id. */
  get unreachable(): boolean {
    return this.problem.status === 0;
  }
}

let onSessionOver: () => void = () => {};
export const whenSessionOver = (act: () => void): void => {
  onSessionOver = act;
};

interface Options {
  method?: "GET" | "POST" | "DELETE";
  body?: unknown;
  /** The version this act expects; 412 when it moved on. */
  version?: number;
  /** A body that is no JSON, as it is; `type` is left out where the browser knows better (forms). */
  raw?: { body: BodyInit; type?: string };
  /** A 401 here is an answer and not the end of the session (the sign-in itself). */
  signingIn?: boolean;
}

/** These go on while the screen shows the past: looking at it, the session, what a seat tells of itself. */
const ALWAYS = /^\/(replay|session|soundings|preferences|presence)\b/;

export async function api<T>(path: string, { method, body, raw, version, signingIn }: Options = {}): Promise<T> {
  const way = method ?? (body === undefined && !raw ? "GET" : "POST");
  // Whoever looks at the past decides by what is not so any more: whatever a button or a key missed ends here.
  if (inPast() && way !== "GET" && !ALWAYS.test(path)) throw new Refusal({ status: 409, code: "InThePast", title: t("replay.refused") });
  const headers: Record<string, string> = { Accept: "application/json", "Accept-Language": document.documentElement.lang };
  if (body !== undefined) headers["Content-Type"] = "application/json";
  if (raw?.type) headers["Content-Type"] = raw.type;
  if (version !== undefined) headers["If-Match"] = `"${version}"`;
  let response: Response;
  try {
    response = await fetch(BASE + path, {
      method: way,
      headers,
      body: raw ? raw.body : body === undefined ? undefined : JSON.stringify(body),
      signal: AbortSignal.timeout(raw ? UPLOAD_TIMEOUT : TIMEOUT),
    });
  } catch {
    throw new Refusal({ status: 0, code: "Unreachable", title: "" });
  }
  const answer: unknown = response.status === 204 ? null : await response.json().catch(() => null);
  if (response.ok) return answer as T;
  if (response.status === 401 && !signingIn) onSessionOver();
  const said = (answer ?? {}) as Partial<Problem>;
  throw new Refusal({
    ...said,
    status: response.status,
    code: said.code ?? `Http${response.status}`,
    title: said.title ?? "",
    facts: { ...said.facts, retry_after: response.headers.get("Retry-After") },
  });
}

export async function getRaw(path: string): Promise<{ status: number; body: unknown }> {
  try {
    const response = await fetch(BASE + path, { headers: { Accept: "application/json" }, signal: AbortSignal.timeout(TIMEOUT) });
    return { status: response.status, body: response.ok ? await response.json() : null };
  } catch {
    return { status: 0, body: null };
  }
}

/** UUIDv7: made here, so that sending the same thing twice does it once. */
export function newId(now: number = Date.now()): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  for (let i = 0; i < 6; i += 1) bytes[i] = Math.floor(now / 2 ** (8 * (5 - i))) % 256;
  bytes[6] = 0x70 | ((bytes[6] ?? 0) & 0x0f);
  bytes[8] = 0x80 | ((bytes[8] ?? 0) & 0x3f);
  const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}
