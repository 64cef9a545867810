#include <vgg19/vgg19.hpp>

int main(int argc, char** argv) {
    return argc > 1 && vgg19::Model::open(argv[1]).classes() == 0 ? 1 : 0;
}
