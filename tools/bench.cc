// vgg19 bench
#include "bench/bench.h"

#include "tools/subcommands.h"

namespace vgg19::tools {

int bench(int argc, char** argv) {
    return bench::bench_main(argc, argv);
}

}  // namespace vgg19::tools
