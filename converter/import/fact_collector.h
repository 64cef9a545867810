// Collects information besides the tensors while a checkpoint's tree is walked.
#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "converter/import/checkpoint_facts.h"
#include "converter/import/memory_allowance.h"
#include "converter/import/pickle.h"

namespace vgg19::converter {

/// A key as part of a path: texts and numbers unchanged; for other keys their type, in angle brackets. Of a
/// text only the first `longest` bytes.
std::string pickle_key_text(const Pickle& pickle, const PickleValue& key, std::size_t longest);

class FactCollector {
  public:
    /// What the facts take is taken from `allowance`; facts without room are left out.
    FactCollector(const Pickle& pickle, MemoryAllowance& allowance, CheckpointFacts& facts)
        : pickle_(pickle), allowance_(allowance), facts_(facts) {}

    /// Everything that follows belongs to this key of the root; its value is `value`.
    void begin_part(std::string_view key, const PickleValue& value);
    /// Reports a container or object at `path`; its last key is `key`.
    void container(const std::string& path, std::string_view key, const PickleValue& value);
    /// Reports a plain value under `key` of the object at `path`. A module's values are its settings.
    void value(const std::string& path, std::string_view key, const PickleValue& value, bool in_module);
    /// Reports an object with a state; returns whether it is a PyTorch module.
    bool module(const std::string& path, const PickleValue& value);
    void quantized(const std::string& path);
    void tensor_left_out(const std::string& what);
    /// Counts an item that is left out because of its size.
    void leave_out(const std::string& what) { ++left_out_[what]; }
    /// Turns the counts into texts.
    void finish();

  private:
    struct Part {
        std::string key;
        std::string what;
        bool plain = false;                          ///< a single value, not a container
        std::ptrdiff_t values = 0;                   ///< without those that became facts
        std::map<std::string, std::size_t> tensors;  ///< by type
    };

    /// The current part; it is stored as soon as something in it is counted.
    Part& part();
    void class_names(const std::string& path, const PickleValue& value);

    const Pickle& pickle_;
    MemoryAllowance& allowance_;
    CheckpointFacts& facts_;
    std::vector<Part> parts_;
    Part part_{.key = "the file", .what = "one value"};
    bool kept_ = false;  ///< part_ is the last of parts_
    Part more_;          ///< all parts after the first hundred
    std::size_t more_parts_ = 0;
    std::size_t names_seen_ = 0;
    std::size_t module_settings_ = 0;
    std::map<std::string, std::size_t> left_out_;
};

}  // namespace vgg19::converter
