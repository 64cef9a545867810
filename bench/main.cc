#include "bench/bench.h"
#include "tools/command_line/standard_streams.h"

int main(int argc, char** argv) {
    vgg19::occupy_standard_streams();
    return vgg19::bench::bench_main(argc, argv);
}
