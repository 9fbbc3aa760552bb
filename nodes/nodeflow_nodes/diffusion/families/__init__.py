"""Model families: how each turns text into conditioning, and how its network is asked."""

import logging

# What packages for quantized weights say when diffusers finds them: nobody who draws can change it.
for _talkative in ("torch.utils._pytree", "bitsandbytes", "diffusers.quantizers"):
    logging.getLogger(_talkative).setLevel(logging.ERROR)
