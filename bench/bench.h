// The bench: compares all variants of VGG-19 in one interleaved run.
#pragma once

namespace vgg19::bench {

/// Implements vgg19-bench and `vgg19 bench`; see --help. argv[0] is ignored. Returns the exit code: 0 done, 1
/// failed while running, 2 wrong usage, 3 slower than the given baseline, 5 bad model or image. argv must be
/// the last argc − 1 words of the process's command line: each variant is measured in its own process, which
/// is started with the preceding words of that command line.
int bench_main(int argc, char** argv);

}  // namespace vgg19::bench
