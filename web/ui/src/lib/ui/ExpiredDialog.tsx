import { Modal } from "@mantine/core";
import { useQueryClient } from "@tanstack/react-query";
import { t } from "../i18n";
import { sessionRenewed, useLink } from "../live";
import { useSession } from "../session";
import { SignInForm } from "../../sign-in/SignInForm";

/** The session ended: the screen stays, with all that was typed; whoever it is signs in again over it. */
export function ExpiredDialog() {
  const expired = useLink((state) => state.name === "expired");
  const { person } = useSession();
  const queries = useQueryClient();
  return (
    <Modal transitionProps={{ duration: 0 }} opened={expired} onClose={() => {}} withCloseButton={false} closeOnEscape={false} closeOnClickOutside={false} title={t("expired.title")} centered>
      <p className="expired-why">{t("expired.why")}</p>
      <SignInForm
        username={person.username}
        onDone={(renewed) => {
          if (renewed.person.id !== person.id) {
            // Another person: other rights and other drafts. Start clean.
            location.reload();
            return;
          }
          sessionRenewed();
          void queries.invalidateQueries();
        }}
      />
    </Modal>
  );
}
