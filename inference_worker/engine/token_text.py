"""Between token ids and text, exactly: spelling a text in tokens, decoding a stream of tokens, showing a single token.

Uses the tokenizer's own definition (`tokenizer.json`) through the `tokenizers` library, whose methods used here are
safe to call from several threads at once.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from tokenizers import Tokenizer
from tokenizers.decoders import DecodeStream

ZERO_WIDTH_SPACE = "\u200b"
REPLACEMENT = "\ufffd"


def _byte_of_character() -> dict[str, int]:
    """The printable stand-ins that byte-level BPE vocabularies use for the 256 byte values (as in GPT-2)."""
    printable = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    others = [byte for byte in range(256) if byte not in printable]
    return {chr(byte): byte for byte in printable} | {chr(256 + i): byte for i, byte in enumerate(others)}


BYTE_OF_CHARACTER = _byte_of_character()
CHARACTER_OF_BYTE = {byte: character for character, byte in BYTE_OF_CHARACTER.items()}


class TokenText:
    """A tokenizer seen as text: `definition` is its tokenizer.json, `special` are the control-token strings."""

    def __init__(self, definition: str, special: Iterable[str]) -> None:
        self._marked = Tokenizer.from_str(definition)
        self._plain = Tokenizer.from_str(definition)
        self._plain.encode_special_tokens = True
        self._special = sorted(filter(None, special), key=len, reverse=True)
        self._shown: dict[int, str] = {}

    def defuse(self, text: str) -> str:
        """Break control-token strings inside `text` with a zero-width space, so that no author can forge a turn."""
        for marker in self._special:
            if marker in text:
                text = text.replace(marker, marker[0] + ZERO_WIDTH_SPACE + marker[1:])
        return text

    def encode_prompt(self, text: str) -> tuple[int, ...]:
        """Token ids of a rendered prompt, in which control-token strings mean control tokens."""
        return tuple(self._marked.encode(text, add_special_tokens=False).ids)

    def count(self, text: str) -> int:
        """Number of tokens of plain text."""
        return len(self._plain.encode(text, add_special_tokens=False).ids)

    def spell(self, text: str) -> tuple[int, ...]:
        """Token ids that decode to exactly `text`.

        Tokenizers that normalise (NFC and the like) change some texts; those are spelled character by character, in
        single bytes where needed. Raises ValueError when the vocabulary cannot spell the text.
        """
        ids = self._plain.encode(text, add_special_tokens=False).ids
        if self._decodes_to(ids, text):
            return tuple(ids)
        ids = [token for character in text for token in self._spell_character(character)]
        if self._decodes_to(ids, text):
            return tuple(ids)
        raise ValueError("the model's vocabulary cannot spell this text exactly")

    def pieces(self, ids: Sequence[int], text: str) -> tuple[str, ...]:
        """`text` cut along its tokens `ids`: one piece each, empty while a character is incomplete."""
        stream = self.stream(())
        pieces = [stream.step(token) for token in ids]
        decoded = "".join(pieces)
        if not text.startswith(decoded):
            raise ValueError("the model's vocabulary cannot spell this text exactly")
        pieces[-1] += text[len(decoded) :]
        return tuple(pieces)

    def stream(self, prompt: Sequence[int]) -> TokenStream:
        """Decoder of the tokens that follow `prompt`."""
        return TokenStream(self._marked, prompt)

    def show(self, token: int) -> str:
        """A single token as people read it; bytes of an incomplete character are written as \\xNN."""
        if (shown := self._shown.get(token)) is None:
            shown = self._marked.decode([token], skip_special_tokens=False)
            if REPLACEMENT in shown or not shown:
                shown = self._show_bytes(self._marked.id_to_token(token) or "")
            self._shown[token] = shown
        return shown

    def _decodes_to(self, ids: Sequence[int], text: str) -> bool:
        return bool(self._marked.decode(list(ids), skip_special_tokens=False) == text)

    def _spell_character(self, character: str) -> list[int]:
        ids = self._plain.encode(character, add_special_tokens=False).ids
        if self._decodes_to(ids, character):
            return list(ids)
        encoded = character.encode()
        for names in ([CHARACTER_OF_BYTE[byte] for byte in encoded], [f"<0x{byte:02X}>" for byte in encoded]):
            single = [token for name in names if (token := self._marked.token_to_id(name)) is not None]
            if len(single) == len(names):
                return single
        return list(ids)

    @staticmethod
    def _show_bytes(piece: str) -> str:
        if piece and all(character in BYTE_OF_CHARACTER for character in piece):
            return bytes(BYTE_OF_CHARACTER[character] for character in piece).decode(errors="backslashreplace")
        return piece


class TokenStream:
    """Incremental decoder of one answer; holds back the bytes of an incomplete character."""

    def __init__(self, tokenizer: Tokenizer, prompt: Sequence[int]) -> None:
        self._tokenizer = tokenizer
        self._stream = DecodeStream(ids=list(prompt), skip_special_tokens=True)

    def step(self, token: int) -> str:
        """Text that `token` completes, possibly empty."""
        try:
            return self._stream.step(self._tokenizer, token) or ""
        except Exception:  # the library's bare exception for byte sequences that never become valid text
            self._stream = DecodeStream(ids=[], skip_special_tokens=True)
            return self._stream.step(self._tokenizer, token) or ""
