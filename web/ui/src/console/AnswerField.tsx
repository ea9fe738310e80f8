import { Textarea } from "@mantine/core";
import { t } from "../lib/i18n";

const LONGEST = 600; // characters, as the server has it

/** What whoever reported is told. Left empty, it is what the ending says. */
export function AnswerField({ value, onChange }: { value: string; onChange: (answer: string) => void }) {
  return (
    <Textarea
      label={t("answer.title")}
      description={t("answer.hint")}
      autosize
      minRows={1}
      maxRows={4}
      maxLength={LONGEST}
      value={value}
      onChange={(event) => onChange(event.currentTarget.value)}
    />
  );
}

/** The words of an ending, beside its name: nobody chooses blindly what a neighbour reads. */
export const AnswerWords = ({ answer }: { answer: string | null | undefined }) => (answer ? <small className="choice-answer">{answer}</small> : null);
