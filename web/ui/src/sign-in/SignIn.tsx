import { useEffect } from "react";
import { t } from "../lib/i18n";
import { destination } from "../lib/session";
import { Logo } from "../lib/ui/Logo";
import { ThemeButton } from "../lib/ui/ThemeButton";
import { SignInForm } from "./SignInForm";

export function SignIn() {
  useEffect(() => {
    document.title = t("signIn.pageTitle");
  }, []);
  return (
    <main className="sign-in">
      <section className="sign-in-panel">
        <header>
          <Logo size={44} />
          <div>
            <h1>{t("product.name")}</h1>
            <p>{t("product.motto")}</p>
          </div>
        </header>
        <SignInForm onDone={({ person }) => location.assign(destination(person.role, location.search))} />
        <footer>
          <a href="/">{t("signIn.public")}</a>
          <ThemeButton />
        </footer>
      </section>
    </main>
  );
}
