// Mutates pickles by their operations, so that most mutants are pickles again.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "tests/fuzz/reader_fuzzing.h"

namespace vgg19::fuzzing {

/// What follows an operation's code.
enum class Operand : unsigned char { none, bytes1, bytes2, bytes4, bytes8, line, lines, text1, text4, text8 };

constexpr Operand operand_of(unsigned char code) {
    switch (code) {
        case 'K':
        case 'q':
        case 'h':
        case 0x80:
        case 0x82:
            return Operand::bytes1;
        case 'M':
        case 0x83:
            return Operand::bytes2;
        case 'J':
        case 'r':
        case 'j':
        case 0x84:
            return Operand::bytes4;
        case 'G':
        case 0x95:
            return Operand::bytes8;
        case 'I':
        case 'L':
        case 'F':
        case 'S':
        case 'V':
        case 'P':
        case 'p':
        case 'g':
            return Operand::line;
        case 'c':
        case 'i':
            return Operand::lines;
        case 'U':
        case 'C':
        case 0x8a:
        case 0x8c:
            return Operand::text1;
        case 'X':
        case 'B':
        case 'T':
        case 0x8b:
            return Operand::text4;
        case 0x8d:
        case 0x8e:
        case 0x96:
            return Operand::text8;
        default:
            return Operand::none;
    }
}

/// The bytes of an operand that counts its text.
constexpr std::size_t count_bytes(Operand operand) {
    return operand == Operand::text1 ? 1 : operand == Operand::text4 ? 4 : operand == Operand::text8 ? 8 : 0;
}

inline std::size_t operand_bytes(Operand operand, std::string_view rest) {
    const auto line = [rest](std::size_t from) {
        const std::size_t end = rest.find('\n', from);
        return end == std::string_view::npos ? rest.size() : end + 1;
    };
    switch (operand) {
        case Operand::none:
            return 0;
        case Operand::bytes1:
            return 1;
        case Operand::bytes2:
            return 2;
        case Operand::bytes4:
            return 4;
        case Operand::bytes8:
            return 8;
        case Operand::line:
            return line(0);
        case Operand::lines:
            return line(line(0));
        default:
            break;
    }
    const std::size_t width = count_bytes(operand);
    std::size_t count = 0;
    for (std::size_t i = std::min(width, rest.size()); i-- > 0;) {
        count = count << 8U | static_cast<unsigned char>(rest[i]);
    }
    return width + std::min(count, rest.size());
}

/// Operations with their operands; the last may be cut off.
inline std::vector<std::string> split_operations(std::string_view pickle) {
    std::vector<std::string> operations;
    while (!pickle.empty()) {
        const Operand operand = operand_of(static_cast<unsigned char>(pickle[0]));
        const std::size_t length = std::min(1 + operand_bytes(operand, pickle.substr(1)), pickle.size());
        operations.emplace_back(pickle.substr(0, length));
        pickle.remove_prefix(length);
    }
    return operations;
}

class PickleMutator {
  public:
    explicit PickleMutator(unsigned seed) : random_(seed) {}

    std::string mutated(std::string_view pickle) {
        std::vector<std::string> operations = split_operations(pickle);
        for (std::size_t n = 1 + below(4); n > 0; --n) mutate(operations);
        std::string result;
        for (const std::string& operation : operations) result += operation;
        return result;
    }

  private:
    static constexpr std::array<std::string_view, 46> pieces = {"N",
                                                                "]",
                                                                "}",
                                                                ")",
                                                                "(",
                                                                "t",
                                                                "l",
                                                                "d",
                                                                "e",
                                                                "u",
                                                                "a",
                                                                "s",
                                                                "R",
                                                                "b",
                                                                "Q",
                                                                "0",
                                                                "1",
                                                                "2",
                                                                ".",
                                                                "\x81",
                                                                "\x85",
                                                                "\x86",
                                                                "\x87",
                                                                "\x88",
                                                                "\x89",
                                                                "\x8f",
                                                                "\x90",
                                                                "\x91",
                                                                "\x92",
                                                                "\x93",
                                                                "\x94",
                                                                "ctorch._utils\n_rebuild_tensor_v2\n",
                                                                "ctorch._utils\n_rebuild_parameter\n",
                                                                "ctorch._utils\n_rebuild_tensor_v3\n",
                                                                "ctorch._tensor\n_rebuild_from_type_v2\n",
                                                                "ccollections\nOrderedDict\n",
                                                                "ctorch\nFloatStorage\n",
                                                                "ctorch\nSize\n",
                                                                "c_codecs\nencode\n",
                                                                "ctorch.storage\n_load_from_bytes\n",
                                                                "cnumpy.core.multiarray\n_reconstruct\n",
                                                                "cnumpy.core.multiarray\nscalar\n",
                                                                "cnumpy\ndtype\n",
                                                                "ctorch.nn.modules.pooling\nMaxPool2d\n",
                                                                "ctorch.nn.modules.batchnorm\nBatchNorm2d\n",
                                                                "(X\x07\0\0\0storage"};
    static constexpr std::array<std::string_view, 20> texts = {
        "storage",           "0",        "1",         "cpu",          "weight",     "bias",
        "features.0.weight", "classes",  "idx2label", "eps",          "bn_eps",     "_modules",
        "_parameters",       "_buffers", "training",  "running_mean", "state_dict", "neg",
        "kernel_size",       "_metadata"};

    std::size_t below(std::size_t end) { return random_() % end; }

    std::string piece() {
        if (below(4) == 0) {
            const std::string_view text = texts[below(texts.size())];
            return std::string("\x8c") + static_cast<char>(text.size()) + std::string(text);
        }
        if (below(4) == 0) {
            const auto number = static_cast<char>(below(4) == 0 ? below(256) : below(6));
            return std::string(1, "Khq"[below(3)]) + number;
        }
        return std::string(pieces[below(pieces.size())]);
    }

    /// Its text changes, and its count with it.
    static void mutate_operand(std::string& operation) {
        const std::size_t width = count_bytes(operand_of(static_cast<unsigned char>(operation[0])));
        if (operation.size() <= 1 + width) return mutate_part(operation);
        std::string text = operation.substr(1 + width);
        mutate_part(text);
        if (width == 1) text.resize(std::min<std::size_t>(text.size(), 255));
        for (std::size_t i = 0; i < width; ++i) {
            operation[1 + i] = static_cast<char>(text.size() >> (8 * i));
        }
        operation.replace(1 + width, std::string::npos, text);
    }

    void mutate(std::vector<std::string>& operations) {
        if (operations.empty()) operations.push_back(piece());
        const auto at = [&](std::size_t place) {
            return operations.begin() + static_cast<std::ptrdiff_t>(place);
        };
        const std::size_t place = below(operations.size());
        const std::size_t other = below(operations.size());
        switch (below(7)) {
            case 0:
                operations.erase(at(place));
                break;
            case 1:
                operations.insert(at(place), piece());
                break;
            case 2:
                operations[place] = piece();
                break;
            case 3:
                std::swap(operations[place], operations[other]);
                break;
            case 4: {
                const std::string copy = operations[other];
                operations.insert(at(place), 1 + below(4), copy);
                break;
            }
            case 5: {  // a part again, somewhere else
                const std::size_t end = std::min(operations.size(), other + 1 + below(12));
                const std::vector<std::string> copy(at(other), at(end));
                operations.insert(at(place), copy.begin(), copy.end());
                break;
            }
            default:
                if (!operations[place].empty()) mutate_operand(operations[place]);
        }
    }

    std::minstd_rand random_;
};

/// For LLVMFuzzerCustomMutator: the bytes from `begin` on are a pickle, or several.
inline std::size_t mutate_pickle(std::uint8_t* data, std::size_t size, std::size_t longest, unsigned seed,
                                 std::size_t begin = 0) {
    if (begin >= size || seed % 8 == 0) return LLVMFuzzerMutate(data, size, longest);
    const std::string_view pickle(reinterpret_cast<const char*>(data) + begin, size - begin);
    const std::string mutated = PickleMutator(seed).mutated(pickle);
    const std::size_t length = std::min(mutated.size(), longest - begin);
    std::copy_n(mutated.begin(), length, data + begin);
    return begin + length;
}

}  // namespace vgg19::fuzzing
