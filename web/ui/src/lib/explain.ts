/** What went wrong, what is safe, what to do: never "Error 500". The server's own sentence wins. */
import { Refusal } from "./api";
import { t } from "./i18n";

export function explain(error: unknown): string {
  if (!(error instanceof Refusal)) return t("error.unknown");
  const { problem } = error;
  if (error.unreachable) return t("error.unreachable");
  const fields = problem.errors?.map(({ message }) => message).join(" ");
  if (problem.status === 412) return t("error.moved");
  if (problem.status >= 500 && problem.status !== 503) return t("error.server");
  if (problem.title) return fields ? `${problem.title} ${fields}` : problem.title;
  if (problem.status === 401) return t("error.session");
  if (problem.status === 403) return t("error.forbidden");
  if (problem.status === 404) return t("error.absent");
  if (problem.status === 429 || problem.status === 503) return t("error.busy");
  return t("error.refused");
}
