// Whether the system lets threads start, for libraries that end the program where it does not.
#pragma once

namespace vgg19::kernels {

/// How many of `threads` can be started at once now: starts them, and waits until they have ended. Another
/// thread may take what they leave, so a refusal afterwards is unlikely but not impossible.
int startable_threads(int threads);

}  // namespace vgg19::kernels
