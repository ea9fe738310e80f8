import { useEffect, useRef } from "react";
import { useCatalogue } from "../../lib/catalogue";
import { answersFor, questionsOf, weigh, type TypeQuestion, type Weighed } from "../../lib/calls";
import { t } from "../../lib/i18n";
import { useKey } from "../../lib/keys";
import { PriorityMark } from "../../lib/ui/PriorityMark";
import type { Level } from "../../lib/wire";
import { PriorityPicker } from "../IncidentForm";

interface Asked {
  type: string | null;
  answers: Record<string, string>;
  priority: Level | null;
}

/** What is asked of this type, and what the answers weigh. */
export function useWeighed({ type, answers, priority }: Asked): { questions: TypeQuestion[]; weighed: Weighed } {
  const words = useCatalogue();
  const questions = questionsOf(words, type);
  return { questions, weighed: weigh(words.type(type), questions, answersFor(questions, answers), priority) };
}

const DIGITS = ["1", "2", "3", "4", "5", "6", "7", "8", "9"] as const;

/**
 * The type's questions as radio rows. A digit answers the one that waits (with Alt while somebody types), and the next one waits. What the
 * answers say sets the priority, and why stands under them; by hand wins.
 */
export function Questions({ asked, change }: { asked: Asked; change: (next: { type?: string; answers?: Record<string, string>; priority?: Level | null }) => void }) {
  const words = useCatalogue();
  const { questions, weighed } = useWeighed(asked);
  const waiting = questions.find(({ code, answers }) => !answers.some((each) => each.code === asked.answers[code])) ?? null;
  const rows = useRef<HTMLDivElement>(null);

  const answer = (question: TypeQuestion, index: number) => {
    const given = question.answers[index];
    if (!given) return;
    // What it is after all: the other type is asked what was answered already, so nothing is lost.
    change({ answers: { ...asked.answers, [question.code]: given.code }, ...(given.type && given.type !== asked.type ? { type: given.type } : {}) });
  };
  const digit = (event: globalThis.KeyboardEvent) => {
    if (waiting) answer(waiting, Number(event.key) - 1);
  };
  useKey(DIGITS, digit, waiting !== null);
  useKey(DIGITS.map((each) => `alt+${each}`), digit, waiting !== null);
  useEffect(() => {
    // Whoever answers with the keyboard goes on where the next one waits.
    const row = rows.current;
    if (row?.contains(document.activeElement)) row.querySelector<HTMLInputElement>(".question-waiting input")?.focus();
  }, [waiting?.code]);

  return (
    <>
      <PriorityPicker value={weighed.level} suggested={weighed.says ?? words.type(asked.type)?.priority ?? null} onChange={(level) => change({ priority: level })} />
      <p className="why-priority" role="status">
        {weighed.level !== null && (
          <>
            <PriorityMark level={weighed.level} size={18} />
            <span>{whyWords(weighed)}</span>
            {weighed.by === "hand" && (
              <button type="button" className="link-button" onClick={() => change({ priority: null })}>
                {t("calls.notByHand")}
              </button>
            )}
          </>
        )}
      </p>
      {questions.length > 0 && (
        <div className="questions" ref={rows}>
          {questions.map((question) => (
            <fieldset key={question.code} className={question === waiting ? "question question-waiting" : "question"}>
              <legend>{question.words}</legend>
              <div>
                {question.answers.map((each, index) => (
                  <label key={each.code} className={asked.answers[question.code] === each.code ? "answer answer-on" : "answer"}>
                    <input type="radio" name={`question-${question.code}`} checked={asked.answers[question.code] === each.code} onChange={() => answer(question, index)} />
                    {question === waiting && <kbd aria-hidden>{index + 1}</kbd>}
                    {each.words}
                  </label>
                ))}
              </div>
            </fieldset>
          ))}
          {Object.keys(answersFor(questions, asked.answers)).length > 0 && (
            <button type="button" className="link-button" onClick={() => change({ answers: {} })}>
              {t("calls.clearAnswers")}
            </button>
          )}
        </div>
      )}
    </>
  );
}

/** "P1: hay personas adentro". */
export function whyWords({ level, by, says, why }: Weighed): string {
  const priority = t("timeline.priority", { n: level });
  if (by === "answers") return t("calls.why.answers", { priority, why });
  if (by === "type") return t("calls.why.type", { priority });
  return says !== null && says !== level ? t("calls.why.handAgainst", { priority, says: t("timeline.priority", { n: says }), why }) : t("calls.why.hand", { priority });
}
