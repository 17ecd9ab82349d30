"""A client of pytest-lsp that says what a real editor said in its place, and hears everything.

The repository, the script of the model and Baton's own folders come from the Rust test that starts
this: it hands them over in the environment.
"""

import asyncio
import os
import subprocess
from pathlib import Path
from typing import Union

import pytest
from lsprotocol import types
from pygls.protocol import default_converter
from pytest_lsp import LanguageClient, client_capabilities
from pytest_lsp.client import DEFAULT_CLIENT_FEATURES

# Longer than any step takes on a loaded machine; whoever waits this long has failed.
WAIT_S_MAX = 90

ROOT = Path(os.environ["BATON_TEST_ROOT"])
SERVER = os.environ["BATON_TEST_SERVER"].split("\n")
CLIENT = os.environ["BATON_TEST_CLIENT"]
OURS = ["baton/boardChanged", "baton/attention", "baton/runProgress"]
# The encoding that Baton shall choose from what each of them offers.
ENCODING = {
    "neovim@0.11.0": "utf-8",
    "neovim@0.6.1": "utf-16",
    "emacs@29.1": "utf-8",
    "visual-studio-code@1.65.2": "utf-16",
}[CLIENT]


def plain(value):
    """What pygls made of JSON that it has no type for, as JSON again."""
    if hasattr(value, "_asdict"):
        return {name: plain(it) for name, it in value._asdict().items()}
    return [plain(it) for it in value] if isinstance(value, (list, tuple)) else value


def converter():
    """lsprotocol 2025.0.0 reads each code action that has a command as a bare command."""
    made = default_converter()

    def action(it, _):
        is_bare = isinstance(it.get("command"), str)
        return made.structure(it, types.Command if is_bare else types.CodeAction)

    made.register_structure_hook(Union[types.Command, types.CodeAction], action)
    return made


class Talk(LanguageClient):
    def __init__(self):
        super().__init__(converter_factory=converter)
        self.heard = []
        self.read = 0
        self.news = asyncio.Event()
        for method in [*DEFAULT_CLIENT_FEATURES, *OURS, types.WORKSPACE_CODE_LENS_REFRESH]:
            self.feature(method)(self.hear(method))

    @classmethod
    async def start(cls):
        talk = cls()
        await talk.start_io(*SERVER)
        return talk

    def hear(self, method):
        answer = DEFAULT_CLIENT_FEATURES.get(method, lambda client, params: None)

        def hearing(params):
            self.heard.append((method, params))
            self.news.set()
            return answer(self, params)

        return hearing

    def of(self, method):
        return [params for name, params in self.heard if name == method]

    async def told(self, method, wanted=lambda it: True):
        """The params of the first message of this method that fits, heard already or not yet."""
        while True:
            for params in self.of(method):
                if wanted(params):
                    return params
            await self.more()

    async def more(self):
        """Waits for a message since the last `clear` of the news."""
        try:
            await asyncio.wait_for(self.news.wait(), WAIT_S_MAX)
        except TimeoutError:
            pytest.fail(f"nothing more was said; heard: {self.heard}")
        self.news.clear()

    async def said(self, words):
        return await self.told("window/showMessage", lambda it: words in it.message)

    async def ask(self, method, **params):
        return plain(await self.protocol.send_request_async(method, params))

    def tell(self, method, params=None):
        self.protocol.notify(method, params)

    async def hello(self, baton=None, options=None):
        """Says what that editor says, in the folder of the repository."""
        can = client_capabilities(CLIENT)
        if baton is not None:
            can.experimental = {**(can.experimental or {}), "baton": baton}
        folder = types.WorkspaceFolder(uri=uri(""), name="repo")
        params = types.InitializeParams(
            capabilities=can,
            root_uri=folder.uri,
            workspace_folders=[folder],
            initialization_options=options,
        )
        return await self.initialize_session(params)

    async def goodbye(self):
        """Ends as the specification asks; the exit code."""
        assert self.error is None, self.error
        await self.shutdown_session()
        code = self._server.returncode
        await self.stop()
        return code

    # Documents.

    def open(self, path, text=None):
        text = (ROOT / path).read_text() if text is None else text
        item = types.TextDocumentItem(uri=uri(path), language_id="text", version=1, text=text)
        self.text_document_did_open(types.DidOpenTextDocumentParams(text_document=item))

    def change(self, path, version, *changes):
        """Each change: the text, and the range it replaces."""
        changes = [
            types.TextDocumentContentChangePartial(text=text, range=range_) for text, range_ in changes
        ]
        self.text_document_did_change(
            types.DidChangeTextDocumentParams(
                text_document=types.VersionedTextDocumentIdentifier(uri=uri(path), version=version),
                content_changes=changes,
            )
        )

    async def menu(self, path, range_, only=None, diagnostics=()):
        """The code actions there, by title."""
        context = types.CodeActionContext(
            diagnostics=list(diagnostics), only=only, trigger_kind=types.CodeActionTriggerKind.Invoked
        )
        document = types.TextDocumentIdentifier(uri=uri(path))
        params = types.CodeActionParams(text_document=document, range=range_, context=context)
        found = await self.text_document_code_action_async(params)
        for it in found:
            assert isinstance(it, types.CodeAction), f"this client knows code actions: {it}"
            assert it.is_preferred is None and it.edit is None
        return {it.title: it for it in found}

    async def run(self, command):
        params = types.ExecuteCommandParams(command=command.command, arguments=command.arguments)
        return plain(await self.workspace_execute_command_async(params))

    async def do(self, name, **argument):
        """A command by its name."""
        params = types.ExecuteCommandParams(command=f"baton.do.{name}", arguments=[argument])
        return plain(await self.workspace_execute_command_async(params))

    async def lenses(self, path):
        document = types.TextDocumentIdentifier(uri=uri(path))
        return await self.text_document_code_lens_async(types.CodeLensParams(text_document=document))

    async def hover(self, path, line):
        document = types.TextDocumentIdentifier(uri=uri(path))
        at = types.Position(line=line, character=0)
        params = types.HoverParams(text_document=document, position=at)
        return await self.text_document_hover_async(params)

    # The team.

    async def until(self, task, *states):
        """Waits on the board, for a client that is told of its changes; what has to run without a
        sandbox on this machine is allowed."""
        allowed = set()
        while True:
            self.news.clear()
            board = await self.ask("baton/board")
            for it in board["approvals"]:
                if it["subject"] == "commands" and it["id"] not in allowed:
                    allowed.add(it["id"])
                    await self.ask("baton/answerApproval", approval=it["id"], answer="approve")
            line = next(it for it in board["tasks"] if it["id"] == task)
            waits = [it for it in board["approvals"] if it["subject"] != "commands"]
            asked = line["state"] != "awaitingApproval" or waits
            if line["state"] in states and asked:
                return line
            assert line["column"] != "parked" or "parked" in states, line
            await self.more()


def uri(path):
    return f"file://{ROOT / path}".rstrip("/")


def width(text):
    """Columns of a text, as this client counts them."""
    return len(text.encode({"utf-8": "utf-8", "utf-16": "utf-16-le"}[ENCODING])) // (
        1 if ENCODING == "utf-8" else 2
    )


def span(line, start, end_line, end):
    at = types.Position
    return types.Range(start=at(line=line, character=start), end=at(line=end_line, character=end))


def read(path):
    return (ROOT / path).read_text()


def git(*args):
    done = subprocess.run(["git", "-C", ROOT, *args], check=True, capture_output=True, text=True)
    return done.stdout


def stored(commit, path):
    """A file of a commit in Baton's own store."""
    stores = list(Path(os.environ["BATON_STATE_DIR"]).glob("*/store.git"))
    (store,) = stores
    argv = ["git", f"--git-dir={store}", "show", f"{commit}:{path}"]
    return subprocess.run(argv, check=True, capture_output=True).stdout.decode()
