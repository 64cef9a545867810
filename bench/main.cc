#include "bench/bench.h"

int main(int argc, char** argv) {
    return vgg19::bench::bench_main(argc, argv);
}
