// Loads the shared library while the program runs, uses it on three threads, and unloads it: no thread may be
// left in code that is gone. Argument: the library.
#include <dlfcn.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <iterator>
#include <string>
#include <vector>

#include "engine/testing/narrow_model.h"
#include "engine/testing/temporary_folder.h"
#include "vgg19/vgg19.h"

namespace {

void require(bool condition, const char* what) {
    if (condition) return;
    std::fprintf(stderr, "unload: expected %s\n", what);
    std::exit(1);
}

std::ptrdiff_t threads() {
    const std::filesystem::directory_iterator tasks("/proc/self/task");
    return std::distance(begin(tasks), end(tasks));
}

/// The library's function, with the type of its declaration.
template <class Function>
Function* find(void* library, const char* name, Function* /*declaration*/) {
    auto* function = reinterpret_cast<Function*>(dlsym(library, name));
    require(function != nullptr, name);
    return function;
}
#define FIND(library, name) find(library, #name, static_cast<decltype(&name)>(nullptr))

void run_in_order(void* loops, std::size_t count, vgg19_task task, void* task_context) {
    ++*static_cast<int*>(loops);
    for (std::size_t i = 0; i < count; ++i) task(task_context, i);
}

/// With the caller's threads instead of the library's if `loops` is given, which counts them.
void use(void* library, const std::string& model_path, int* loops = nullptr) {
    vgg19_model* model = nullptr;
    vgg19_session* session = nullptr;
    vgg19_session_options options = {};
    options.struct_size = sizeof options;
    options.threads = 3;
    options.convolution = "winograd";  // OpenMP's threads would stay
    if (loops != nullptr) options.parallel_for = run_in_order;
    options.parallel_for_context = loops;
    const std::ptrdiff_t before = threads();
    require(FIND(library, vgg19_model_open)(model_path.c_str(), &model) == VGG19_OK, "a model");
    require(FIND(library, vgg19_session_create)(model, &options, &session) == VGG19_OK, "a session");
    std::vector<float> input(std::size_t{3} * 32 * 32, 0.5F);
    std::vector<float> logits(10);
    for (int run = 0; run < 20; ++run) {
        require(FIND(library, vgg19_session_run)(session, input.data(), input.size(), logits.data(),
                                                 logits.size()) == VGG19_OK,
                "logits");
    }
    if (loops == nullptr) {
        require(threads() >= 3, "threads of the library");
    } else {
        require(threads() == before, "no threads of the library beside the caller's");
        require(*loops > 0, "loops on the caller's threads");
    }
    FIND(library, vgg19_session_destroy)(session);
    FIND(library, vgg19_model_close)(model);
}

}  // namespace

int main(int /*argc*/, char** argv) {
    const vgg19::testing::TemporaryFolder folder;
    vgg19::kernels::testing::Random random;
    const std::string model = folder / "narrow";
    vgg19::testing::write_narrow_model(model, random);
    for (int round = 0; round < 3; ++round) {
        const std::ptrdiff_t before = threads();
        void* library = dlopen(argv[1], RTLD_NOW | RTLD_LOCAL);
        require(library != nullptr, "a library that can be loaded");
        int loops = 0;
        use(library, model, &loops);
        use(library, model);
        require(dlclose(library) == 0, "a library that can be unloaded");
        require(dlopen(argv[1], RTLD_NOW | RTLD_NOLOAD) == nullptr, "no library");
        require(threads() == before, "the threads from before");
    }
    return 0;
}
