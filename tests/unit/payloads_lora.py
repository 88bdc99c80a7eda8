"""What is wrong with payloads of lorawan_milesight in the shared data, each found in its source (the
manifest's repository, commit and path)."""
import json
import re

# Cut where the source has an em space: the file holds the first channels only. The whole payload.
WHOLE = {
    "lorawan_milesight/am104_0.hex": "01755c03673401046865056a490006651c0079001400",
    "lorawan_milesight/am307_0.hex": "0367ee0004687c05000106cb02077da803087d250009736627",
    "lorawan_milesight/am308_0.hex":
        "0367ee0004687c05000106cb02077da803087d2500097366270b7d20000c7d3000",
    "lorawan_milesight/am319-hcho-ir_0.hex":
        "0367ee0004687c05000106cb02077da803087d2500097366270a7d07000b7d20000c7d3000",
    "lorawan_milesight/am319-hcho_0.hex":
        "0367ee0004687c05000106cb02077da803087d2500097366270a7d07000b7d20000c7d3000",
    "lorawan_milesight/am319l-hcho-ir_0.hex":
        "0367ee0004687c05000106cb02077da803087d2500097366270a7d07000b7d20000c7d3000",
    "lorawan_milesight/em300-mld_0.hex": "01755c050000",
    "lorawan_milesight/em300-th_0.hex": "01755c03673401046865",
    "lorawan_milesight/em500-smtc_0.hex": "01756403671901046873057ff000",
    "lorawan_milesight/em500-udl_0.hex": "01756403821e00",
    # No payloads at all: "d2da", "d2dc" are the letters of "D2D Agent" and "D2D Controller".
    "lorawan_milesight/ws501-v4_0.hex": "ff830001191711",
    "lorawan_milesight/ws501-v4_1.hex": "f9b80001023412",
    "lorawan_milesight/ws502-v4_0.hex": "ff830101ddcc30",
    "lorawan_milesight/ws502-v4_1.hex": "f9b80101023412",
}

# The source's example says otherwise than the source's own table of the channel, which holds.
BY_TABLE = {
    # 0100 is v1.0, as in ct101_0 with the same bytes.
    ("lorawan_milesight/ct105_0.hex", "hardware_version"): "v1.0",
    # tamper_status: 0 installed, 1 uninstalled; the byte is 1.
    ("lorawan_milesight/ws301_0.hex", "tamper_status"): "uninstalled",
    # uplink 0x02: bit 0 is lora, bit 1 the button.
    ("lorawan_milesight/ws501-v4_1.hex",
     "d2d_controller_settings_array.0.uplink.lora_enable"): "disable",
    ("lorawan_milesight/ws502-v4_1.hex",
     "d2d_controller_settings_array.0.uplink.lora_enable"): "disable",
}


def readings(entry):
    """The entry's readings as they must be decoded."""
    if "readings" not in entry:
        # The source's text is JSON but for a comma.
        text = re.sub(r",\s*}", "}", entry["expected_raw_text"])
        return [{"name": name, "value": value} for name, value in json.loads(text).items()]
    return [dict(r, value=BY_TABLE.get((entry["file"], r["name"]), r.get("value")))
            for r in entry["readings"]]
