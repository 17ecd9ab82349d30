// Pages about a task, as plain text: what the server said, laid out to be read in an editor.
import type { ApprovalView, HandoffView, PlanView, ReceiptView, RunView, TaskView, TranscriptView } from "./protocol.gen.js";

export const PAGES = ["task", "evidence", "handoff", "run", "receipt"] as const;
export type Page = (typeof PAGES)[number];

const SHORT = 10;
const EVIDENCE_WIDTH = 46;

export function seconds(ms: number): string {
  const all = Math.round(ms / 1000);
  if (ms < 9_950) {
    return `${(ms / 1000).toFixed(1)} s`;
  }
  return all < 120 ? `${all} s` : `${Math.round(all / 60)} min`;
}

export function receiptLine(it: ReceiptView): string {
  const tests = it.tests === undefined || it.tests === null ? "" : `, ${testsLine(it.tests)}`;
  return `${it.id} ${it.name ?? it.ran}: ${it.exit}${tests}, ${seconds(it.durationMs)}`;
}

function testsLine(it: NonNullable<ReceiptView["tests"]>): string {
  const parts = [`${it.passed} passed`];
  if (0 < it.failed) {
    parts.push(`${it.failed} failed`);
  }
  if (0 < it.ignored) {
    parts.push(`${it.ignored} ignored`);
  }
  return parts.join(", ");
}

function section(title: string, lines: string[]): string[] {
  return lines.length === 0 ? [] : ["", title, ...lines];
}

function listed(lines: string[]): string[] {
  return lines.map((it) => `  - ${it.split("\n").join("\n    ")}`);
}

function planLines(it: PlanView): string[] {
  return [
    `  ${it.approach}`,
    ...section("  Touches", listed(it.paths)),
    ...section("  Shown by", [`  ${it.tests}`]),
    ...section("  Not chosen", listed(it.rejected)),
    ...section("  Taken for granted", listed(it.assumptions)),
    ...section("  Decided", listed(it.decisions)),
  ];
}

function receiptLines(it: ReceiptView): string[] {
  const at = it.commit === undefined || it.commit === null ? "" : ` on ${it.commit.slice(0, SHORT)}`;
  const where = it.sandboxed ? "in the sandbox" : "without a sandbox";
  return [
    `${it.green ? "green" : "RED"}  ${receiptLine(it)}`,
    `    ${it.argv.join(" ")}`,
    `    ${where}${at}; \`baton replay ${it.id}\` runs it again`,
    ...(it.tests?.failing ?? []).map((name) => `    failed: ${name}`),
    ...(it.tests?.named ?? []).map((name) => `    ${name}`),
  ];
}

/** Lines of at most this width, so that they can be read beside another; what follows is indented. */
export function wrap(text: string, width: number): string {
  return text.split("\n").map((line) => {
    const indent = `${/^ */.exec(line)?.[0] ?? ""}  `;
    const done: string[] = [];
    let now = "";
    for (const word of line.split(/(?<=\S) (?=\S)/)) {
      if (now !== "" && width < now.length + 1 + word.length) {
        done.push(now);
        now = indent + word;
      } else {
        now = now === "" ? word : `${now} ${word}`;
      }
    }
    return [...done, now].join("\n");
  }).join("\n");
}

/** The approval that a review is about: the one that waits, else the last one. */
export function approvalOf(task: TaskView): ApprovalView | undefined {
  return task.approvals.find((it) => it.state === "open") ?? task.approvals.at(-1);
}

/** What the approval stands on. The proof comes first. */
export function evidence(task: TaskView): string {
  const approval = approvalOf(task);
  const receipts = task.runs.flatMap((it) => it.receipts);
  const counted = receipts.filter((it) => approval?.receipts.includes(it.id));
  const verdicts = task.handoffs.filter((it) => it.kind === "validated");
  const lines = [
    approval?.proof ?? task.says,
    `${task.id} ${task.title}: ${task.says}`,
    ...(approval?.outcome === undefined || approval.outcome === null ? [] : [approval.outcome]),
    ...section("Look here", listed(approval?.why ?? [])),
    ...section("Needs a tick of its own", listed(approval?.ticks ?? [])),
    ...section("Notes", listed(approval?.notes ?? [])),
    ...(approval?.plan === undefined || approval.plan === null ? [] : section("Plan", planLines(approval.plan))),
    ...section("Done means", listed(task.criteria)),
    ...section("Receipts that count", counted.flatMap(receiptLines)),
    ...section("Verdict", verdicts.slice(-1).flatMap((it) => handoffLines({ ...it, points: [] }))),
  ];
  return `${wrap(lines.join("\n"), EVIDENCE_WIDTH)}\n`;
}

function handoffLines(it: HandoffView): string[] {
  const verdict = it.verdict === undefined || it.verdict === null ? "" : `: ${it.verdict}`;
  return [
    `${it.role} ${it.kind}${verdict} (${it.run})`,
    ...it.text.split("\n").map((line) => `  ${line}`),
    ...listed(it.points),
    ...(it.lookFirst === undefined || it.lookFirst === null ? [] : [`  Look first at ${it.lookFirst}`]),
  ];
}

export function handoff(it: HandoffView): string {
  return handoffLines(it).join("\n") + "\n";
}

export function receipt(it: ReceiptView): string {
  const output = `    output of ${it.outputBytes} bytes, sha256 ${it.outputSha256}`;
  return [...receiptLines(it), output].join("\n") + "\n";
}

export function run(it: RunView, said: TranscriptView): string {
  const steps = said.steps.map((step) => {
    const tool = step.tool === undefined || step.tool === null ? "" : ` ${step.tool}`;
    const body = step.text.split("\n").map((line) => `  ${line}`).join("\n");
    return `${step.n} ${step.kind}${tool}${step.isError ? " (refused or failed)" : ""}\n${body}`;
  });
  const failure = it.failure === undefined || it.failure === null ? "" : `: ${it.failure}`;
  const head = `${it.id} ${it.role}, ${it.state}${failure}; ${it.cost.calls} calls, ${it.cost.inputTokens} tokens in, ${it.cost.outputTokens} out`;
  return [head, ...section("Receipts", it.receipts.flatMap(receiptLines)), "", ...steps].join("\n") + "\n";
}

export function task(it: TaskView): string {
  return [
    `${it.id} ${it.title}`,
    it.says,
    ...section("Asked", it.brief.text.split("\n").map((line) => `  ${line}`)),
    ...section("May use at most", listed([it.brief.budget ?? ""].filter((one) => one !== ""))),
    ...section("Done means", listed(it.criteria)),
    ...(it.plan === undefined || it.plan === null ? [] : section("Plan", planLines(it.plan))),
    ...section("Handed over", it.handoffs.flatMap(handoffLines)),
    ...section("Decisions", listed(it.decisions.map((one) => `${one.by}: ${one.what}${one.why === "" ? "" : ` (${one.why})`}`))),
    ...section("Said to the team", listed(it.words.map((one) => `${one.text}${one.heardBy.length === 0 ? " (not heard yet)" : ""}`))),
    ...section("What happened", it.timeline.map((one) => `  ${new Date(one.at).toISOString().slice(11, 19)}  ${one.text}`)),
  ].join("\n") + "\n";
}
