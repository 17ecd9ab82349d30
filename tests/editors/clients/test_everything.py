"""All of Baton, as an editor with these capabilities meets it. Breaches of the specification that
pytest-lsp sees are errors."""

import subprocess

import pytest
from lsprotocol import types
from pygls.exceptions import JsonRpcException
from talk import ENCODING, OURS, ROOT, Talk, git, plain, read, span, stored, uri, width

pytestmark = pytest.mark.asyncio
NUMBERS = "src/numbers.txt"
TWO = span(1, 0, 2, 0)


async def refused(code, asked):
    with pytest.raises(JsonRpcException) as caught:
        await asked
    assert caught.value.code == code, caught.value
    return caught.value


async def test_hello_and_goodbye():
    talk = await Talk.start()
    hello = (await talk.hello()).capabilities
    assert hello.position_encoding == ENCODING
    assert hello.text_document_sync.change == types.TextDocumentSyncKind.Incremental
    assert hello.code_action_provider.code_action_kinds == ("baton.delegate", "baton.decide")
    assert hello.hover_provider is True and hello.code_lens_provider is not None
    assert all(it.startswith("baton.do.") for it in hello.execute_command_provider.commands)
    assert plain(hello.experimental)["baton"]["protocolVersion"] == 1

    await refused(-32601, talk.ask("baton/conquer"))
    at, document = types.Position(line=0, character=0), types.TextDocumentIdentifier(uri=uri(NUMBERS))
    beyond = types.CompletionParams(text_document=document, position=at)
    await refused(-32601, talk.text_document_completion_async(beyond))
    talk.tell("baton/nonsense", {"any": "thing"})
    talk.tell("$/nonsense")
    talk.workspace_did_change_configuration(types.DidChangeConfigurationParams(settings={"a": 1}))
    await refused(-32602, talk.ask("baton/task", task="banana"))
    await refused(-32602, talk.do("fly"))
    await refused(-32602, talk.ask("baton/answerApproval", approval="A1", answer="ok"))
    for method in ["task", "diff", "cancel", "retry", "undo"]:
        await refused(3, talk.ask(f"baton/{method}", task="T99"))
    await refused(3, talk.ask("baton/transcript", run="R99"))
    await refused(3, talk.ask("baton/say", task="T99", text="hello"))
    await refused(3, talk.ask("baton/answerQuestion", question="Q9", text="x"))
    assert (await talk.ask("baton/board"))["tasks"] == []
    assert talk.of("window/showMessage") == [] and not any(map(talk.of, OURS))
    assert await talk.goodbye() == 0


async def test_cancelled_requests_and_folders_that_come_and_go():
    talk = await Talk.start()
    await talk.hello()
    asked = []
    for n in range(50):
        asked.append(talk.protocol.send_request_async("baton/board", {}, msg_id=1000 + n))
        talk.cancel_request(types.CancelParams(id=1000 + n))
    # Each is answered, once: with the board, or as cancelled.
    for it in asked:
        try:
            assert (await it).tasks == []
        except JsonRpcException as error:
            assert error.code == -32800, error
    talk.cancel_request(types.CancelParams(id="never asked"))
    board = await talk.ask("baton/board")

    other = ROOT.parent / "other"
    subprocess.run(["git", "init", "-q", "-b", "main", other], check=True)
    subprocess.run(["git", "-C", other, "-c", "user.name=P", "-c", "user.email=p@example.org",
                    "commit", "-q", "--allow-empty", "-m", "start"], check=True)
    none = ROOT.parent / "none"
    none.mkdir()
    folders = [types.WorkspaceFolder(uri=f"file://{it}", name=it.name) for it in [other, none]]

    def change(added, removed):
        event = types.WorkspaceFoldersChangeEvent(added=added, removed=removed)
        params = types.DidChangeWorkspaceFoldersParams(event=event)
        talk.workspace_did_change_workspace_folders(params)

    change(folders, [])
    several = await refused(3, talk.ask("baton/board"))
    assert "several repositories" in several.message, several
    assert await talk.ask("baton/board", repository=board["repository"]) == board
    # A folder that goes takes no task with it.
    change([], folders)
    assert await talk.ask("baton/board", repository=board["repository"]) == board
    assert await talk.goodbye() == 0


async def test_text_is_kept_in_step_and_stays_unsaved():
    """Incremental changes behind and inside of wide characters; the snapshot holds the text whole."""
    talk = await Talk.start()
    await talk.hello(options={"baton": {"notifications": True}})
    talk.open("notes.txt", "first\nsecond\n")
    talk.change("notes.txt", 2, ("ä🦀 e\u0301 \u4e2d\n", span(0, 0, 1, 0)))
    # Two changes in one notification, the second in the text that the first made.
    crab = width("ä🦀")
    talk.change("notes.txt", 3, ("Ω", span(0, crab, 0, crab)),
                ("!", span(0, width("ä🦀Ω e\u0301 \u4e2d"), 0, width("ä🦀Ω e\u0301 \u4e2d"))))
    # Past the end of a line is its end; a range may span lines.
    talk.change("notes.txt", 4, ("?", span(0, 9999, 0, 9999)), ("SECOND", span(1, 0, 1, 6)))
    wanted = "ä🦀Ω e\u0301 \u4e2d!?\nSECOND\n"
    talk.text_document_did_save(types.DidSaveTextDocumentParams(
        text_document=types.TextDocumentIdentifier(uri=uri(NUMBERS))))
    chosen = span(0, width("ä"), 0, crab)
    menu = await talk.menu("notes.txt", chosen)
    task = (await talk.run(menu["Delegate selection"].command))["task"]
    await talk.until(task, "working", "checking", "awaitingApproval")
    whole = await talk.ask("baton/task", task=task)
    assert whole["brief"]["origin"] == "selection"
    assert whole["brief"]["place"]["text"].startswith("ä🦀Ω"), whole["brief"]
    assert stored(whole["base"]["seen"], "notes.txt") == wanted
    assert read("notes.txt") == "first\nsecond\n", "unsaved text is the editor's"
    await talk.do("cancel", task=task)
    await talk.said(f"{task} cancelled")
    talk.text_document_did_close(types.DidCloseTextDocumentParams(
        text_document=types.TextDocumentIdentifier(uri=uri("notes.txt"))))
    # Closed without saving: the file is what the next task sees.
    second = (await talk.ask("baton/delegate", text="two is three"))["task"]
    await talk.until(second, "working", "checking", "awaitingApproval")
    seen = (await talk.ask("baton/task", task=second))["base"]["seen"]
    assert stored(seen, "notes.txt") == "first\nsecond\n"
    await talk.ask("baton/cancel", task=second)
    assert await talk.goodbye() == 0


async def test_by_code_action_alone():
    """An editor that knows nothing of Baton: menu, messages, lenses, hover, progress, a landing."""
    talk = await Talk.start()
    await talk.hello()
    talk.open(NUMBERS)
    await talk.ask("baton/board")
    anywhere = ["Delegate: fix the problem on this line", "Delegate: write tests for this",
                "Ask the team about this"]
    menu = await talk.menu(NUMBERS, span(1, 0, 1, 0))
    assert list(menu) == anywhere
    menu = await talk.menu(NUMBERS, TWO)
    assert list(menu) == ["Delegate selection", *anywhere]
    assert {it.kind for it in menu.values()} == {"baton.delegate"}
    assert await talk.menu(NUMBERS, TWO, only=["quickfix"]) == {}
    assert await talk.menu(NUMBERS, TWO, only=["baton"]) != {}
    assert await talk.menu(NUMBERS, TWO, only=["baton.decide"]) == {}
    marker = "".join(["TO", "DO"])
    talk.change(NUMBERS, 2, (f"# {marker}: seven\n", span(6, 0, 6, 0)))
    menu = await talk.menu(NUMBERS, span(6, 0, 6, 0))
    assert "Delegate: do what this comment asks" in menu
    talk.change(NUMBERS, 3, ("", span(6, 0, 7, 0)))

    problem = types.Diagnostic(range=TWO, message="two is three", source="test")
    menu = await talk.menu(NUMBERS, TWO, diagnostics=[problem])
    fix = menu["Delegate: fix the problem on this line"]
    assert [it.message for it in fix.diagnostics] == ["two is three"]
    assert not await talk.lenses(NUMBERS)
    task = (await talk.run(fix.command))["task"]
    await talk.said(f"{task} delegated")
    # Where it came from, while it is at work, and which lines it changes.
    hint = await talk.told("textDocument/publishDiagnostics", lambda it: it.diagnostics)
    assert hint.uri == uri(NUMBERS) and f"{task} is changing this" in hint.diagnostics[0].message
    (lens,) = await talk.lenses(NUMBERS)
    assert lens.range.start.line == 1 and lens.command.title.startswith(task), lens
    await decide(talk, task, NUMBERS)
    await talk.said(f"{task} landed as")
    assert "two = 2" in read(NUMBERS)
    assert f"Baton-Task: {task}" in git("log", "-1", "--format=%b")
    await talk.told("textDocument/publishDiagnostics", lambda it: not it.diagnostics)
    assert not await talk.lenses(NUMBERS)

    talk.change(NUMBERS, 4, ("two = 2\n", TWO))
    said = (await talk.hover(NUMBERS, 1)).contents
    assert said.kind == types.MarkupKind.Markdown
    assert said.value.startswith(f"**{task}** ") and "approved by person (editor)" in said.value
    assert await talk.hover(NUMBERS, 0) is None
    await talk.do("show", task=task)
    await talk.said(f"{task} Fix the problem at {NUMBERS}:2: landed as")
    await talk.do("undo", task=task)
    await talk.said(f"{task} undone")
    assert "two = 3" in read(NUMBERS)
    progress(talk)
    assert not any(map(talk.of, OURS)), "not announced, not sent"
    assert await talk.goodbye() == 0


async def decide(talk, task, path):
    """Approves what waits from the menu, as it is offered in any file."""
    while True:
        await talk.said(f"{task} waits for you")
        menu = await talk.menu(path, span(0, 0, 0, 0))
        entry = next(it for it in menu.values() if it.kind == "baton.decide")
        answer = await talk.run(entry.command)
        assert answer["task"] == task
        if entry.title.startswith(f"{task} approve: +1 -1 in 1 file"):
            return
        assert "without a sandbox" in entry.title, entry.title
        talk.heard = [it for it in talk.heard if it[0] != "window/showMessage"]


def progress(talk):
    """Bars only where they were offered; each is begun and ended, once."""
    window = talk.capabilities.window
    if not (window and window.work_done_progress):
        assert talk.progress_reports == {}, "not offered, not sent"
        return
    assert talk.progress_reports
    for reports in talk.progress_reports.values():
        kinds = [it.kind for it in reports]
        assert kinds in [[], ["begin", *["report"] * (len(kinds) - 2), "end"]], kinds


async def test_every_request_and_notification_of_baton():
    talk = await Talk.start()
    await talk.hello(baton={"protocolVersion": 1, "showMessage": False})
    talk.open(NUMBERS)
    wish = {"text": "two is three", "key": "k1", "textDocument": {"uri": uri(NUMBERS)},
            "range": {"start": {"line": 1, "character": 0}, "end": {"line": 1, "character": 3}}}
    first, again = talk.ask("baton/delegate", **wish), talk.ask("baton/delegate", **wish)
    task = (await first)["task"]
    assert (await again)["task"] == task, "the same key is the same task"
    line = await talk.until(task, "working")
    if line["run"]:
        watched = await talk.ask("baton/watch", run=line["run"], on=True)
        assert watched["on"] is True
        told = await talk.told("baton/runProgress")
        assert [it.run for it in told.runs] == [line["run"]]
        await talk.ask("baton/watch", run=line["run"], on=False)
    said = await talk.ask("baton/say", task=task, text="mind the third line")
    assert task in said["says"]
    await talk.until(task, "awaitingApproval")
    needed = await talk.told("baton/attention", lambda it: it.kind == "approval")
    whole = await talk.ask("baton/task", task=task)
    approval = next(it for it in whole["approvals"] if it["state"] == "open")
    assert needed.task == task and whole["words"][0]["text"] == "mind the third line"
    diff = await talk.ask("baton/diff", task=task)
    assert "+two = 2" in diff["patch"] and diff["files"][0]["file"]["path"] == NUMBERS
    sides = [await talk.ask("baton/file", task=task, path=NUMBERS, side=it) for it in ["from", "to"]]
    assert ["two = 3" in it["text"] for it in sides] == [True, False]
    run = next(it["id"] for it in whole["runs"] if it["role"] == "Engineer")
    steps = (await talk.ask("baton/transcript", run=run))["steps"]
    assert [it["tool"] for it in steps if it["tool"]] == ["edit_file", "hand_over_change"]
    await refused(1, talk.ask("baton/answerApproval", approval=approval["id"], answer="approve",
                              revision="another"))

    sent = dict(approval=approval["id"], revision=approval["revision"])
    done = await talk.ask("baton/answerApproval", **sent, answer="revise", text="with a colon, please")
    assert done["task"] == task
    await refused(1, talk.ask("baton/answerApproval", **sent, answer="approve"))
    await talk.until(task, "awaitingApproval")
    whole = await talk.ask("baton/task", task=task)
    approval = next(it for it in whole["approvals"] if it["state"] == "open")
    await talk.ask("baton/answerApproval", approval=approval["id"], revision=approval["revision"],
                   answer="approve")
    await talk.until(task, "landed")
    assert "two = 2" in read(NUMBERS)
    assert (await talk.ask("baton/undo", task=task))["task"] == task
    await talk.until(task, "undone")
    assert "two = 3" in read(NUMBERS) and git("status", "--porcelain") == ""
    await questions(talk)
    assert talk.of("window/showMessage") == [], "this client shows such things itself"
    versions = [it.version for it in talk.of("baton/boardChanged")]
    assert versions == sorted(set(versions))
    assert await talk.goodbye() == 0


async def questions(talk):
    """A question, its answer, a task that is parked, tried again and ended; by request and command."""
    task = (await talk.ask("baton/delegate", text="Ask me first"))["task"]
    await talk.until(task, "asking")
    needed = await talk.told("baton/attention", lambda it: it.kind == "question")
    menu = await talk.menu(NUMBERS, span(0, 0, 0, 0), only=["baton.decide"])
    assert [it.title.split(" to: ")[0] for it in menu.values()] == [
        f'{task} answer "keep"', f'{task} answer "drop"']
    await talk.ask("baton/answerQuestion", question=needed.id, text="keep")
    await refused(1, talk.ask("baton/answerQuestion", question=needed.id, text="drop"))
    await talk.until(task, "parked")
    await talk.told("baton/attention", lambda it: it.kind == "parked")
    await talk.do("review", task=task, why="it is a test")
    await talk.do("retry", task=task)
    await talk.until(task, "parked")
    await talk.ask("baton/retry", task=task)
    await talk.do("cancel", task=task)
    await talk.until(task, "cancelled")
    await refused(1, talk.ask("baton/retry", task=task))

