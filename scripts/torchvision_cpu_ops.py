"""Lets the CUDA build of torchvision be imported beside a CPU build of torch.

The Python index holds torchvision only as a CUDA build. Its Python half runs on any torch, but at import it registers
fake kernels for two operators that its CUDA library would have defined, and dies with "operator torchvision::nms does
not exist". vLLM needs torchvision's Python half (the Qwen2.5-VL video processor), never these two operators.

`scripts/setup-vllm-env.sh` puts this file into the site-packages of `.venv-vllm` with a `.pth` line, so that every
process of that environment, vLLM's own workers included, declares the two operators just before torchvision loads.
Nothing is imported until somebody imports torchvision.
"""

import importlib.abc
import importlib.machinery
import sys

_LIBRARIES = []  # torch drops the definitions when the Library object dies


class _DeclareBeforeTorchvision(importlib.abc.MetaPathFinder):
    def find_spec(self, fullname, path=None, target=None):
        if fullname == "torchvision":
            sys.meta_path.remove(self)
            _declare_operators()
        return None


def _declare_operators():
    import torch

    library = torch.library.Library("torchvision", "DEF")
    library.define("nms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
    library.define("qnms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
    _LIBRARIES.append(library)


sys.meta_path.insert(0, _DeclareBeforeTorchvision())
