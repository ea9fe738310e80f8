import { Button, FileButton, Modal } from "@mantine/core";
import { IconFileSpreadsheet } from "@tabler/icons-react";
import { useState } from "react";
import { useAct } from "../console/useAct";
import { t } from "../lib/i18n";
import { importUnits } from "../lib/resources";
import { say } from "../lib/toasts";
import type { Imported } from "../lib/wire";

/** Units from a spreadsheet: let a file fall here, see what it would do and what is wrong with which row, and decide. */
export function Import({ onClose }: { onClose: () => void }) {
  const [file, setFile] = useState<File | null>(null);
  const [seen, setSeen] = useState<Imported | null>(null);
  const [over, setOver] = useState(false);
  const { busy, failure, act } = useAct();

  const look = (chosen: File | null | undefined) => {
    if (!chosen) return;
    setFile(chosen);
    setSeen(null);
    void act(() => importUnits(chosen, "none")).then(setSeen);
  };
  const good = seen ? seen.counts.add + seen.counts.change + seen.counts.same : 0;
  const changes = seen ? seen.counts.add + seen.counts.change : 0;
  const apply = () => {
    if (!file || !seen) return;
    void act(() => importUnits(file, "good", good)).then((done) => {
      if (!done) return;
      say(t("resources.import.done", { count: done.counts.add + done.counts.change }));
      onClose();
    });
  };
  return (
    <Modal opened onClose={onClose} size="xl" title={t("resources.import.title")} closeButtonProps={{ "aria-label": t("resources.close") }}>
      <div
        className={over ? "drop drop-over" : "drop"}
        onDragOver={(event) => {
          event.preventDefault();
          setOver(true);
        }}
        onDragLeave={() => setOver(false)}
        onDrop={(event) => {
          event.preventDefault();
          setOver(false);
          look(event.dataTransfer.files[0]);
        }}
      >
        <IconFileSpreadsheet size={28} aria-hidden />
        <p>{file ? file.name : t("resources.import.drop")}</p>
        <FileButton onChange={look} accept=".csv,text/csv,text/plain" inputProps={{ "aria-label": t("resources.import.choose") }}>
          {(props) => (
            <Button {...props} size="xs" variant="default" loading={busy}>
              {file ? t("resources.import.other") : t("resources.import.choose")}
            </Button>
          )}
        </FileButton>
        {!file && <p className="hint">{t("resources.import.columns")}</p>}
      </div>
      {failure && (
        <p className="form-failure" role="alert">
          {failure}
        </p>
      )}
      {seen && (
        <div className="import-seen">
          <p role="status">
            <strong>{t("resources.import.add", { count: seen.counts.add })}</strong> · {t("resources.import.change", { count: seen.counts.change })} · {t("resources.import.same", { count: seen.counts.same })} ·{" "}
            <strong className={seen.counts.bad ? "import-bad" : undefined}>{t("resources.import.bad", { count: seen.counts.bad })}</strong>
          </p>
          {seen.ignored.length > 0 && <p className="hint">{t("resources.import.ignored", { columns: seen.ignored.join(", ") })}</p>}
          {seen.errors.length > 0 && (
            <div className="table-scroll" tabIndex={0} role="region" aria-label={t("resources.import.errors")}>
              <table className="book">
                <caption>{t("resources.import.errors")}</caption>
                <thead>
                  <tr>
                    <th>{t("resources.import.line")}</th>
                    <th>{t("resources.import.column")}</th>
                    <th>{t("resources.import.why")}</th>
                  </tr>
                </thead>
                <tbody>
                  {seen.errors.map((error, index) => (
                    <tr key={index}>
                      <td className="number">{error.line}</td>
                      <td>{error.column || "—"}</td>
                      <td>{error.message}</td>
                    </tr>
                  ))}
                </tbody>
              </table>
            </div>
          )}
          {changes > 0 && (
            <details open={seen.errors.length === 0}>
              <summary>{t("resources.import.preview", { count: changes })}</summary>
              <div className="table-scroll" tabIndex={0} role="region" aria-label={t("resources.import.preview", { count: changes })}>
                <table className="book">
                  <tbody>
                    {seen.rows
                      .filter(({ what }) => what !== "same")
                      .map((row) => (
                        <tr key={row.line}>
                          <td className="number">{row.line}</td>
                          <td>
                            <strong>{row.call_sign}</strong>
                          </td>
                          <td>{t(`resources.import.what.${row.what}`)}</td>
                          <td className="import-changes">
                            {row.changes.map(({ field, was, becomes }) => (
                              <span key={field}>
                                {t(`resources.import.field.${field}`)}: {was && <s>{was}</s>} {becomes}
                              </span>
                            ))}
                          </td>
                        </tr>
                      ))}
                  </tbody>
                </table>
              </div>
            </details>
          )}
          <div className="sheet-buttons">
            <Button disabled={changes === 0} loading={busy} onClick={apply}>
              {seen.counts.bad > 0 ? t("resources.import.applyGood", { count: good }) : t("resources.import.applyAll", { count: good })}
            </Button>
            <Button variant="subtle" onClick={onClose}>
              {t("resources.cancel")}
            </Button>
            {seen.counts.bad > 0 && <span className="hint">{t("resources.import.fixHint")}</span>}
          </div>
        </div>
      )}
    </Modal>
  );
}
