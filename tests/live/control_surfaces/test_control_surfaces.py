"""MIDI messages and OSC over UDP change the settings."""

import time
from collections.abc import Callable

import pytest

from vidgan.errors import InputError
from vidgan.live.controls import Controls
from vidgan.live.settings import LiveSettings

STYLES = ["a", "b", "mine/c.onnx"]


@pytest.fixture
def controls() -> Controls:
    return Controls(LiveSettings(style="a"), styles=STYLES)


class TestOsc:
    @pytest.fixture(autouse=True)
    def library(self) -> None:
        pytest.importorskip("pythonosc", reason="needs the extra control")

    def send(self, port: int, *messages: tuple[str, object]) -> None:
        from pythonosc.udp_client import SimpleUDPClient

        client = SimpleUDPClient("127.0.0.1", port)
        try:
            for path, value in messages:
                client.send_message(path, value)
        finally:
            client._sock.close()

    def wait(self, condition: Callable[[], object]) -> None:
        until = time.monotonic() + 30
        while not condition():
            assert time.monotonic() < until
            time.sleep(0.01)

    def test_messages_change_settings(self, controls: Controls) -> None:
        from vidgan.live.control_surfaces.osc import OscControl

        messages: list[str] = []
        with OscControl(controls, "127.0.0.1:0", notify=messages.append) as osc:
            self.send(osc.port, ("/vidgan/strength", 0.25), ("/vidgan/mix", 0.5), ("/vidgan/style", "c"))
            self.wait(lambda: controls.settings.style == "mine/c.onnx" and controls.settings.mix == 0.5)
            self.wait(lambda: controls.settings.strength == 0.25)
            self.send(osc.port, ("/vidgan/style", 1), ("/vidgan/record", 1))
            self.wait(lambda: controls.settings.style == "b" and controls.recording)
            self.send(osc.port, ("/vidgan/strength", 7.0))
            self.wait(lambda: controls.settings.strength == 1)
            self.send(osc.port, ("/vidgan/stroke", 0.25))
            self.wait(lambda: controls.settings.stroke == 1.5)
        assert not messages

    def test_errors_are_reported(self, controls: Controls) -> None:
        from vidgan.live.control_surfaces.osc import OscControl

        messages: list[str] = []
        with OscControl(controls, "127.0.0.1:0", notify=messages.append) as osc:
            self.send(osc.port, ("/vidgan/style", "nothing"), ("/vidgan/volume", 1), ("/vidgan/mix", "x"))
            self.wait(lambda: len(messages) == 3)
        text = "\n".join(sorted(messages))
        assert "no style called 'nothing'" in text and "no parameter called 'volume'" in text
        assert "mix: cannot be set to 'x'" in text and controls.settings == LiveSettings(style="a")

    def test_malformed_address(self, controls: Controls) -> None:
        from vidgan.live.control_surfaces.osc import OscControl

        with pytest.raises(InputError, match="HOST:PORT"):
            OscControl(controls, "127.0.0.1:port", notify=print)


class TestMidi:
    """Messages are real; the input is not, because test machines have none."""

    @pytest.fixture(autouse=True)
    def backend(self, monkeypatch: pytest.MonkeyPatch) -> None:
        mido = pytest.importorskip("mido", reason="needs the extra control")
        monkeypatch.setattr(mido, "get_input_names", lambda: ["Through", "nanoKONTROL2 0"])

    def test_messages_change_settings(self, controls: Controls) -> None:
        from mido import Message

        from vidgan.live.control_surfaces.midi import MidiControl, parse_map

        midi = MidiControl(controls, "nano", control_changes=parse_map("mix=20"), notify=print)
        assert midi.name == "nanoKONTROL2 0"
        midi.handle(Message("control_change", control=1, value=0))
        midi.handle(Message("control_change", control=20, value=127))
        midi.handle(Message("control_change", control=99, value=127))
        assert (controls.settings.strength, controls.settings.mix) == (0, 1)
        assert controls.settings.second_style == "b"
        midi.handle(Message("program_change", program=1))
        assert controls.settings.style == "b"
        midi.handle(Message("note_on", note=38, velocity=90))
        assert controls.settings.style == "mine/c.onnx"
        midi.handle(Message("note_on", note=36, velocity=0))
        assert controls.settings.style == "mine/c.onnx"

    def test_missing_input_lists_the_others(self, controls: Controls) -> None:
        from vidgan.live.control_surfaces.midi import MidiControl

        with pytest.raises(InputError, match="`midi` MPD: not found; available: Through, nanoKONTROL2 0"):
            MidiControl(controls, "MPD", notify=print)

    @pytest.mark.parametrize(
        ("text", "words"),
        [("gain=3", "no parameter called 'gain'"), ("mix=200", "0 to 127"), ("mix", "0 to 127")],
    )
    def test_malformed_map(self, text: str, words: str) -> None:
        from vidgan.live.control_surfaces.midi import parse_map

        with pytest.raises(InputError, match=words):
            parse_map(text)
