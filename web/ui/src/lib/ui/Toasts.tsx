import { useStore } from "zustand";
import { t } from "../i18n";
import { useKey } from "../keys";
import { usePresentSecond } from "../live";
import { dropToast, toasts, undoLast, undoToast } from "../toasts";

export function Toasts() {
  const all = useStore(toasts, (state) => state.all);
  useKey("ctrl+z", () => void undoLast());
  return (
    <div className="toasts" role="status" aria-live="polite">
      {all.map((toast) => (
        <div key={toast.id} className={`toast toast-${toast.tone}`}>
          <span>{toast.text}</span>
          {toast.undo && (
            <button type="button" onClick={() => void undoToast(toast)}>
              {t("action.undo")} <kbd>{"Ctrl Z"}</kbd> <Left until={toast.until} />
            </button>
          )}
          <button type="button" className="toast-close" aria-label={t("action.dismissToast")} onClick={() => dropToast(toast.id)}>
            {"×"}
          </button>
        </div>
      ))}
    </div>
  );
}

/** The seconds that are left; only for the eye, a voice that counts down says nothing new. */
function Left({ until }: { until: number }) {
  usePresentSecond();
  return <span aria-hidden className="toast-left">{Math.max(0, Math.ceil((until - performance.now()) / 1000))}</span>;
}
