// Values of arguments, with errors that name them.
#pragma once

#include <nanobind/nanobind.h>
#include <nanobind/stl/array.h>
#include <nanobind/stl/filesystem.h>
#include <nanobind/stl/optional.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace vgg19::python {

namespace nb = nanobind;

/// "a whole number, 0 or more", for an argument of this type.
template <class Value>
constexpr const char* expected_text = nullptr;
template <>
inline constexpr const char* expected_text<bool> = "True or False";
template <>
inline constexpr const char* expected_text<int> = "a whole number of 32 bits";
template <>
inline constexpr const char* expected_text<std::size_t> = "a whole number from 0 to 2**64 - 1";
template <>
inline constexpr const char* expected_text<double> = "a number";
template <>
inline constexpr const char* expected_text<std::string> = "a text";
template <>
inline constexpr const char* expected_text<std::filesystem::path> = "a path without zero bytes";
template <>
inline constexpr const char* expected_text<std::vector<std::string>> = "a list of texts";
template <>
inline constexpr const char* expected_text<std::vector<std::size_t>> = "a list of whole numbers, 0 or more";
template <>
inline constexpr const char* expected_text<std::array<float, 3>> = "three numbers";

/// Throws TypeError, or Error (usage) for a number beyond the type's limits.
[[noreturn]] void refuse_argument(const std::string& name, const char* expected, nb::handle found);

template <class Value>
Value argument(nb::handle object, const std::string& name) {
    static_assert(expected_text<Value> != nullptr);
    Value value{};
    if (!nb::try_cast(object, value)) refuse_argument(name, expected_text<Value>, object);
    return value;
}

}  // namespace vgg19::python
