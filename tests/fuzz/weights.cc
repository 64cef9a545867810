// A weights file, opened as a vgg19 model and as a state dict to import, must open or give an Error about the
// input.
#include <unistd.h>

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "converter/import/names.h"
#include "converter/import/state_dict.h"
#include "engine/model/model_file.h"
#include "vgg19/error.h"

namespace {

template <class Function>
void try_it(const Function& function) {
    try {
        function();
    } catch (const vgg19::Error& error) {
        if (error.kind() != vgg19::ErrorKind::bad_input) std::abort();
    }
}

/// Reads at most as many values as a network's shapes allow: an expanded tensor can have very many.
void read_tensors(const vgg19::converter::StateDict& dict) {
    constexpr std::size_t most_elements = std::size_t{1} << 16;
    for (const vgg19::converter::StoredTensor& tensor : dict.tensors()) {
        if (!vgg19::converter::is_floating(tensor.dtype) || tensor.elements() > most_elements) continue;
        std::vector<double> values(tensor.elements());
        vgg19::converter::read_values<double>(tensor, dict.mapping(), values);
    }
}

/// Uses a memory file system if there is one, since files are read by mapping them.
std::filesystem::path file_of_this_process() {
    const std::filesystem::path memory = "/dev/shm";
    const bool there = std::filesystem::is_directory(memory);
    return (there ? memory : std::filesystem::temp_directory_path()) /
           ("vgg19-fuzz-" + std::to_string(getpid()));
}

}  // namespace

// NOLINTNEXTLINE(readability-identifier-naming): the name is the fuzzer's
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::filesystem::path path = file_of_this_process();
    std::ofstream(path, std::ios::binary)
        .write(reinterpret_cast<const char*>(data), static_cast<std::streamsize>(size));
    try_it([&] { vgg19::model::ModelFile::open(path).verify_checksums(); });
    try_it([&] { read_tensors(vgg19::converter::StateDict::open(path)); });
    try_it([&] {
        const auto state = vgg19::converter::StateDict::open(path);
        const auto modules = vgg19::converter::modules_of(state.tensors());
        vgg19::converter::recognise_vgg(modules, "file");
    });
    std::filesystem::remove(path);
    return 0;
}
