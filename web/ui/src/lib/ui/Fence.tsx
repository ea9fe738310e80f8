import { Component, type ReactNode } from "react";
import { t } from "../i18n";

/** A fault in one part of the screen stays in that part: the rest goes on working. */
export class Fence extends Component<{ children: ReactNode; resetKey?: string | null }, { failed: boolean }> {
  override state = { failed: false };

  static getDerivedStateFromError(): { failed: boolean } {
    return { failed: true };
  }

  override componentDidUpdate(before: { resetKey?: string | null }): void {
    if (this.state.failed && before.resetKey !== this.props.resetKey) this.setState({ failed: false });
  }

  override render(): ReactNode {
    if (!this.state.failed) return this.props.children;
    return (
      <div className="fence" role="alert">
        <p>{t("error.unknown")}</p>
        <button type="button" className="link-button" onClick={() => this.setState({ failed: false })}>
          {t("action.retry")}
        </button>
      </div>
    );
  }
}
