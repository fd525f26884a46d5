"""workspace/executeCommand: known commands, unknown ones, and wrong arguments."""

from pathlib import Path

from raw_client import raw_client
from wire import executing


async def test_commands_are_advertised_and_checked(tmp_path: Path) -> None:
    async with raw_client(tmp_path) as client:
        status = await client.ask(executing(1, "midline.pause"))
        assert status["result"]["state"] == "paused"
        unknown = await client.ask(executing(2, "midline.fly"))
        assert unknown["error"]["code"] == -32602
        assert "midline.pullModel" in unknown["error"]["message"]
        for id, arguments in ((3, (1, 2)), (4, ({},))):
            wrong = await client.ask(executing(id, "midline.pullModel", *arguments))
            assert wrong["error"]["code"] == -32602
        assert await client.leave() == 0
