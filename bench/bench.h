// The bench: every variant of VGG-19 side by side, in one interleaved run.
#pragma once

namespace vgg19::bench {

/// What vgg19-bench and `vgg19 bench` do; --help says it all. argv[0] is not looked at. Returns the exit
/// code: 0 done, 1 failed while running, 2 wrong usage, 3 slower than the given baseline, 5 bad model or
/// image. The last argc − 1 words of the process's command line must be argv's: a variant is measured in a
/// process of its own, which is this program started again with the words before those.
int bench_main(int argc, char** argv);

}  // namespace vgg19::bench
