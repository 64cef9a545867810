// Flips single bits of a model file in memory, and prints those that nobody notices.
//
//   vgg19-torture-flips MODEL header|anywhere|packed COUNT SEED
//
// `header`: opening the model must fail; `anywhere`: opening it or comparing its checksums, as `vgg19 inspect
// --verify` does; `packed`: the same for a packed file, or the plain file in it must be as it was. COUNT
// bits, all if there are no more. Prints "tried N", and a line for each bit that was not noticed.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <exception>
#include <filesystem>
#include <iostream>
#include <iterator>
#include <numeric>
#include <random>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "engine/model/model_file.h"
#include "vgg19/error.h"

namespace {

using vgg19::model::MappedFile;
using vgg19::model::ModelFile;

/// What is wrong with how a model with a wrong bit was taken; "" if nothing is.
std::string taken(const std::vector<std::byte>& bytes, bool verify) {
    try {
        const ModelFile model = ModelFile::open(MappedFile::of_memory(bytes, nullptr));
        if (verify) model.verify_checksums();
        return "not noticed";
    } catch (const vgg19::Error& error) {
        return error.kind() == vgg19::ErrorKind::bad_input ? "" : error.what();
    } catch (const std::exception& error) {
        return error.what();
    }
}

/// The plain file in a packed one; empty if it cannot be unpacked.
std::vector<std::byte> content_of(const std::vector<std::byte>& packed) {
    try {
        MappedFile plain = MappedFile::unpacked(MappedFile::of_memory(packed, nullptr));
        plain.use_all();
        return {plain.bytes().begin(), plain.bytes().end()};
    } catch (const vgg19::Error&) {
        return {};
    }
}

std::vector<std::size_t> chosen_bits(std::size_t bits, std::size_t count, unsigned seed) {
    std::vector<std::size_t> all(bits);
    std::iota(all.begin(), all.end(), std::size_t{0});
    if (count >= bits) return all;
    std::vector<std::size_t> chosen;
    std::mt19937_64 random(seed);
    std::sample(all.begin(), all.end(), std::back_inserter(chosen), count, random);
    return chosen;
}

int run(const std::string& path, std::string_view part, std::size_t count, unsigned seed) {
    std::vector<std::byte> bytes;
    {
        const MappedFile file{std::filesystem::path(path)};
        bytes.assign(file.bytes().begin(), file.bytes().end());
    }
    const bool packed = part == "packed";
    const bool verify = packed || part == "anywhere";
    const std::vector<std::byte> content = packed ? content_of(bytes) : bytes;
    std::uint64_t header = 0;
    std::memcpy(&header, bytes.data(), sizeof header);
    const std::size_t flippable = verify ? bytes.size() : sizeof header + header;
    const std::vector<std::size_t> bits = chosen_bits(8 * flippable, count, seed);
    for (const std::size_t bit : bits) {
        const std::byte mask{static_cast<unsigned char>(1U << bit % 8)};
        bytes[bit / 8] ^= mask;
        std::string problem = taken(bytes, verify);
        if (packed && !problem.empty() && content_of(bytes) == content) problem.clear();
        bytes[bit / 8] ^= mask;
        if (!problem.empty()) {
            std::cout << "bit " << bit % 8 << " of byte " << bit / 8 << ": " << problem << '\n';
        }
    }
    std::cout << "tried " << bits.size() << '\n';
    return 0;
}

}  // namespace

int main(int argc, char** argv) {
    try {
        if (argc != 5) throw std::invalid_argument("expected MODEL header|anywhere|packed COUNT SEED");
        return run(argv[1], argv[2], std::stoull(argv[3]), static_cast<unsigned>(std::stoul(argv[4])));
    } catch (const std::exception& error) {
        std::cerr << "vgg19-torture-flips: " << error.what() << '\n';
        return 1;
    }
}
