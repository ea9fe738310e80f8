import { ActionIcon, Button } from "@mantine/core";
import { IconPencil } from "@tabler/icons-react";
import { useState, type ReactNode } from "react";
import { useAct } from "../console/useAct";
import { t } from "../lib/i18n";

interface Props {
  label: string;
  /** As it stands. */
  children: ReactNode;
  may: boolean;
  /** The control; what is saved is what it handed over last. */
  edit: (close: () => void) => ReactNode;
  onSave: () => Promise<unknown>;
  onOpen?: () => void;
}

/** One field of a sheet: what it says, and, for who may, a pencil that turns it into a form of one line. */
export function Field({ label, children, may, edit, onSave, onOpen }: Props) {
  const [open, setOpen] = useState(false);
  const { busy, failure, act, setFailure } = useAct();
  const close = () => {
    setOpen(false);
    setFailure(null);
  };
  return (
    <div className="sheet-field">
      <dt>{label}</dt>
      {open ? (
        <dd>
          <form
            onSubmit={(event) => {
              event.preventDefault();
              void act(onSave).then((done) => done !== null && close());
            }}
            onKeyDown={(event) => event.key === "Escape" && close()}
          >
            {edit(close)}
            <div className="sheet-buttons">
              <Button size="xs" type="submit" loading={busy}>
                {t("resources.save")}
              </Button>
              <Button size="xs" variant="subtle" onClick={close}>
                {t("resources.cancel")}
              </Button>
            </div>
            {failure && (
              <p className="form-failure" role="alert">
                {failure}
              </p>
            )}
          </form>
        </dd>
      ) : (
        <dd>
          <span className="sheet-value">{children || <span className="sheet-none">{t("resources.none")}</span>}</span>
          {may && (
            <ActionIcon
              size="sm"
              variant="subtle"
              aria-label={t("resources.change", { what: label.toLowerCase() })}
              onClick={() => {
                onOpen?.();
                setOpen(true);
              }}
            >
              <IconPencil size={15} aria-hidden />
            </ActionIcon>
          )}
        </dd>
      )}
    </div>
  );
}
