"""Image classifiers in folders as the library transformers saves them: its code builds the network, nothing of the folder is
run, nothing is fetched, and the weights come through our own reader.
"""

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from qurd_core.benchmarks.own.foreign import lies_within
from qurd_core.benchmarks.own.weights import shapes, tensors
from qurd_core.errors import QurdError, is_filled, misplaced, visible
from qurd_core.files import json_values, opened

LEAST = (5, 3)  # of transformers: releases before it could be made to run code of a folder
CONFIG, PREPROCESSOR = "config.json", "preprocessor_config.json"
WEIGHTS, INDEX = "model.safetensors", "model.safetensors.index.json"
BYTES = 4_000_000  # of a file of JSON
SHARDS = 200
LARGEST, DEEPEST = 200_000, 1_000  # of a number in a configuration, of a number of layers
PLAIN = {"eager", "sdpa"}  # ways to compute attention that the library brings itself
REFUSED = {  # keys of a configuration, at any depth, and what to do instead
    "auto_map": "it names code of its own: save the model as a class of the library",
    "custom_pipelines": "it names code of its own: save the model as a class of the library",
    "quantization_config": "its weights are packed: save them as floats",
    "backbone": "it fetches another network: save the model as a whole",
    "backbone_config": "it fetches another network: save the model as a whole",
    "use_pretrained_backbone": "it fetches another network: save the model as a whole",
    "use_timm_backbone": "it fetches another network: save the model as a whole",
    "use_kernels": "it fetches code",
}
ATTENTION = re.compile(r"_?(attn|experts)_implementation(_internal)?")
STEPS = {  # what a preprocessor may do, and what of it is done
    *("do_resize", "size", "resample", "do_center_crop", "crop_size", "crop_pct", "do_rescale", "rescale_factor"),
    *("do_normalize", "image_mean", "image_std"),
}
SILENT = {  # what does nothing to a picture of three colours
    *("image_processor_type", "feature_extractor_type", "processor_class", "do_convert_rgb", "data_format"),
    *("input_data_format", "return_tensors", "default_to_square", "disable_grouping", "device"),
}
WAYS = {2: "bilinear", 3: "bicubic"}  # of Pillow, by number
KINDS = {  # preprocessors that do what their keys say and no more, tried against each
    *("ViT", "DeiT", "CLIP", "Bit", "ConvNext", "MobileNetV1", "MobileNetV2", "Siglip", "Beit", "Pvt", "Segformer")
}
_KIND = re.compile(r"(\w+?)(ImageProcessor|FeatureExtractor)(Fast|Pil)?")


class TransformersNetwork(nn.Module):
    """A classifier as a network: images (n,3,H,W) in [0,1] in, logits out, which its own preprocessor prepares.

    Attributes:
        names: of its classes, in the order of its outputs.

    Raises:
        QurdError: the library is not installed, or the folder holds what is refused, or other weights.
    """

    mean: Tensor
    std: Tensor

    def __init__(self, folder: Path):
        super().__init__()
        if not find_spec("transformers") or tuple(map(int, re.findall(r"\d+", version("transformers"))[:2])) < LEAST:
            least = ".".join(map(str, LEAST))
            raise QurdError(
                f"Expected transformers from {least} on, to read {folder}. Install it: pip install 'transformers>={least}'."
            )
        files(folder)
        said = configuration(folder)
        self.names = names(said)
        self.preparation = preparation(folder)
        self.register_buffer("mean", torch.tensor(self.preparation["mean"]).view(3, 1, 1))
        self.register_buffer("std", torch.tensor(self.preparation["std"]).view(3, 1, 1))
        with _quiet():
            self.network = _built(folder, said)

    def forward(self, x: Tensor) -> Tensor:
        about = self.preparation
        if about["resize"]:
            height, width = about["resize"](*x.shape[2:])
            if (height, width) != tuple(x.shape[2:]):
                for size in (
                    (x.shape[2], width),
                    (height, width),
                ):  # as Pillow does, which keeps what lies between in 8 bits
                    x = F.interpolate(x, size, mode=about["way"], antialias=True).clamp(0, 1)
        if about["crop"]:
            from torchvision.transforms.functional import center_crop

            x = center_crop(x, list(about["crop"]))
        if not about["rescale"]:
            x = x * 255
        return self.network(pixel_values=(x - self.mean) / self.std).logits


def configuration(folder: Path) -> dict[str, Any]:
    """What `config.json` says, if it is of an image classifier of the library and asks for nothing else.

    Raises:
        QurdError: it is not.
    """
    said, path = _json(folder, CONFIG), folder / CONFIG
    for key, value in _every(said):
        if key in REFUSED and value not in (None, False, {}, []):
            raise QurdError(f"Expected no '{key}' in {path}: {REFUSED[key]}.")
        if ATTENTION.fullmatch(key) and isinstance(value, str) and value not in PLAIN:
            raise QurdError(f"Expected no '{key}' in {path}: it may fetch code. Remove it.")
        most = DEEPEST if "layer" in key or "depth" in key else LARGEST
        if isinstance(value, int | float) and not abs(value) <= most:
            raise QurdError(f"Expected numbers up to {most:,} in {path}. '{visible(key[:60])}' is {value:,}.")
    return said


def _every(value: Any, key: str = "") -> Iterator[tuple[str, Any]]:
    """Every key with its value, at any depth; numbers in lists with the key of the list."""
    yield key, value
    if isinstance(value, dict):
        for name, one in value.items():
            yield from _every(one, name)
    elif isinstance(value, list):
        for one in value:
            yield from _every(one, key)


def names(said: Mapping[str, Any]) -> tuple[str, ...]:
    """Of the classes, in the order of the outputs."""
    given = said.get("id2label")
    if isinstance(given, dict) and {str(key) for key in given} == {str(place) for place in range(len(given))}:
        return tuple(str(given[str(place)]) for place in range(len(given)))
    raise QurdError("Expected 'id2label' in config.json with a name for every output from 0 on.")


def preparation(folder: Path) -> dict[str, Any]:
    """What `preprocessor_config.json` does to an image in [0,1].

    Raises:
        QurdError: it does something that is not done here, by name.
    """
    said, path = _json(folder, PREPROCESSOR), folder / PREPROCESSOR
    kind = _KIND.fullmatch(str(said.get("image_processor_type") or said.get("feature_extractor_type")))
    if not kind or kind[1] not in KINDS:
        raise QurdError(
            f"Expected an image processor of the kind {', '.join(sorted(KINDS))} in {path}. Got"
            f" '{visible(str(said.get('image_processor_type'))[:60])}', which may do more than its keys say."
        )
    strange = sorted(key for key, value in said.items() if key not in STEPS | SILENT and value not in (None, False, [], {}))
    if strange:
        raise QurdError(
            f"Expected a preprocessor in {path} that scales, cuts and normalises. '{visible(strange[0][:60])}' acts."
        )
    try:
        return _prepared(_completed(kind[1], said), kind[1])
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise QurdError(f"Expected sizes, means and deviations in {path} as the library writes them. {error}.") from None


def _completed(kind: str, said: Mapping[str, Any]) -> dict[str, Any]:
    """The same with what the library takes where a key is left out."""
    import transformers

    given = {key: value for key, value in said.items() if key in STEPS and value is not None}
    return getattr(transformers, f"{kind}ImageProcessor")(**given).to_dict()


def _prepared(said: Mapping[str, Any], kind: str) -> dict[str, Any]:
    resize, cut = None, None
    if said.get("do_resize", False):
        resize, cut = _resize(said["size"], said.get("crop_pct"), kind)
        if said.get("resample") not in WAYS:
            raise ValueError(f"its 'resample' is {said.get('resample')}, not {' or '.join(map(str, WAYS))}")
    if said.get("do_center_crop", False):
        cut = _side(said["crop_size"]["height"]), _side(said["crop_size"]["width"])
    rescale = bool(said.get("do_rescale", False))
    if rescale and abs(float(said.get("rescale_factor", 1 / 255)) - 1 / 255) > 1e-6:
        raise ValueError(f"its 'rescale_factor' is {said['rescale_factor']}, not 1/255")
    normalised = bool(said.get("do_normalize", False))
    mean, std = (said["image_mean"], said["image_std"]) if normalised else ([0.0] * 3, [1.0] * 3)
    mean, std = ([float(one) for one in some] for some in (mean, std))
    if len(mean) != 3 or len(std) != 3 or not all(one > 0 for one in std) or not all(map(math.isfinite, mean + std)):
        raise ValueError("a mean and a deviation above zero are needed of each of three colours")
    return {
        "resize": resize,
        "way": WAYS.get(said.get("resample")),
        "crop": cut,
        "rescale": rescale,
        "mean": mean,
        "std": std,
    }


def _resize(size: Any, share: Any, kind: str) -> tuple[Any, tuple[int, int] | None]:
    """How height and width become others, and what is cut out afterwards."""
    if share is not None and kind != "ConvNext":
        raise ValueError(f"its 'crop_pct' means nothing to {kind}")
    if {*size} == {"height", "width"}:
        to = _side(size["height"]), _side(size["width"])
        return lambda height, width: to, None
    if {*size} != {"shortest_edge"}:
        raise ValueError(f"its 'size' has {', '.join(map(str, size))}")
    short = _side(size["shortest_edge"])
    if kind == "ConvNext":  # which scales small images beyond what it cuts out, and large ones to squares
        if short >= 384:
            return lambda height, width: (short, short), None
        return _shorter(int(short / float(share))), (short, short)
    return _shorter(short), None


def _shorter(side: int) -> Any:
    """Scale the shorter side to so many pixels."""

    def to(height: int, width: int) -> tuple[int, int]:
        if height <= width:
            return side, int(side * width / height)
        return int(side * height / width), side

    return to


def _side(value: Any) -> int:
    if type(value) is not int or not 1 <= value <= 2_048:
        raise ValueError(f"a side has {str(value)[:20]} pixels")
    return value


def files(folder: Path) -> list[Path]:
    """The files that a model is read from.

    Raises:
        QurdError: one is missing, or lies elsewhere.
    """
    found = [folder / CONFIG, folder / PREPROCESSOR, *_shards(folder)]
    for path in found:
        if not is_filled(path):
            raise misplaced("a file of a model of transformers", path)
        if not lies_within(path, folder):
            raise QurdError(f"Expected the files of the model inside {folder}. {path.name} is a link to another place.")
    return found


def _shards(folder: Path) -> list[Path]:
    """The files of weights, which the index names where there are several."""
    if not (folder / INDEX).is_file():
        return [folder / WEIGHTS]
    held = _json(folder, INDEX).get("weight_map")
    named = sorted({str(name) for name in held.values()}) if isinstance(held, dict) else []
    if not 1 <= len(named) <= SHARDS or any(Path(name).name != name or not name.endswith(".safetensors") for name in named):
        raise QurdError(f"Expected 1 to {SHARDS} plain names of .safetensors files in {folder / INDEX}.")
    return [folder / INDEX, *(folder / name for name in named)]


def _json(folder: Path, name: str) -> dict[str, Any]:
    path = folder / name
    if not is_filled(path):
        raise misplaced("a file of a model of transformers", path)
    with opened(path) as file:
        data = file.read(BYTES + 1)
    try:
        found = json_values(data) if len(data) <= BYTES else None
    except ValueError as error:
        raise QurdError(f"Cannot read {path}: {error}.") from None
    if not isinstance(found, dict):
        raise QurdError(f"Expected names with values in {path}, of at most {BYTES:,} bytes.")
    return found


def _built(folder: Path, said: dict[str, Any]) -> nn.Module:
    import transformers
    from transformers.models.auto.modeling_auto import MODEL_FOR_IMAGE_CLASSIFICATION_MAPPING_NAMES as TABLE

    kind, wanted = str(said.get("model_type")), said.get("architectures")
    wanted = wanted[0] if isinstance(wanted, list) and wanted else None
    if kind == "timm_wrapper":
        raise QurdError(
            f"Expected architecture: timm/... for {folder}, which wraps a network of timm, and its weights file."
        )
    known = TABLE.get(kind, ())
    if wanted not in ((known,) if isinstance(known, str) else known):
        raise QurdError(
            f"Expected an image classifier of the library in {folder}. {CONFIG} names '{visible(str(wanted)[:60])}' of the"
            f" kind '{visible(kind[:60])}'."
        )
    found = getattr(transformers, wanted)
    try:
        config = found.config_class.from_dict(said)
        config._attn_implementation = "eager"
        with torch.device("meta"):
            blank = found(config)
        held = _tensors(folder, sum(tensor.numel() for tensor in blank.state_dict().values()))
        network, told = found.from_pretrained(
            None, config=config, state_dict=held, output_loading_info=True, attn_implementation="eager"
        )
    except QurdError:
        raise
    except Exception as error:  # of a library of many kinds, from what a file says
        first = (str(error).strip().splitlines() or [type(error).__name__])[0][:200]
        raise QurdError(f"Cannot build the network of {folder}: {first.rstrip('.')}. Save it again.") from None
    for key, what in (
        ("missing_keys", "lacks"),
        ("unexpected_keys", "also holds"),
        ("mismatched_keys", "has another size of"),
    ):
        if told[key]:
            first = visible(str(sorted(map(str, told[key]))[0])[:200])
            raise QurdError(f"Expected the tensors of {wanted} in {folder}. It {what} '{first}': save it again.")
    return network


def _tensors(folder: Path, numbers: int) -> dict[str, Tensor]:
    """The weights, if there are as many numbers as the network has."""
    paths = [path for path in _shards(folder) if path.name != INDEX]
    claimed = sum(math.prod(shape) for path in paths for shape in shapes(path).values())
    if claimed != numbers:
        raise QurdError(f"Expected {numbers:,} numbers in the weights of {folder}, as {CONFIG} says. Got {claimed:,}.")
    held: dict[str, Tensor] = {}
    for path in paths:
        for name, tensor in tensors(path).items():
            if name in held:
                raise QurdError(f"Expected every tensor once in {folder}. '{name[:200]}' stands in two files.")
            if not bool(torch.isfinite(tensor).all()):
                raise QurdError(f"Expected finite weights in {path}. '{name[:200]}' holds NaN or infinity.")
            held[name] = tensor.float() if tensor.is_floating_point() else tensor
    return held


@contextmanager
def _quiet() -> Iterator[None]:
    """Without the library's bars and words."""
    from transformers.utils import logging

    before = logging.get_verbosity()
    shown = logging.is_progress_bar_enabled()
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        logging.set_verbosity(before)
        if shown:
            logging.enable_progress_bar()


def columns(own: Sequence[str], classes: Sequence[str], what: str) -> tuple[int, ...] | None:
    """The output that stands for each class of the benchmark, by its name.

    Raises:
        QurdError: the model has other classes.
    """
    if tuple(own) == tuple(classes):
        return None
    if len(own) == len(classes) and all(re.fullmatch(r"LABEL_\d+", name) for name in own):
        return None  # nobody named them
    if sorted(own) != sorted(classes):
        strange = next((name for name in own if name not in classes), own[0] if own else "")
        raise QurdError(
            f"Expected the {len(classes)} classes of the manifest in 'id2label' of {what}. It has {len(own)}, such as"
            f" '{visible(strange[:60])}': give the model a list of our names as 'classes', in the order of its outputs."
        )
    return tuple(list(own).index(name) for name in classes)
