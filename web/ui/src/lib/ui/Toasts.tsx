import { useStore } from "zustand";
import { t } from "../i18n";
import { useKey } from "../keys";
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
              {t("action.undo")} <kbd>{"Ctrl Z"}</kbd>
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
