#include "tools/serve/problem.h"

#include <new>

#include "vgg19/error.h"

namespace vgg19::server {

namespace {

Problem described() {
    try {
        throw;
    } catch (const Problem& problem) {
        return problem;
    } catch (const Error& error) {
        if (error.kind() == ErrorKind::cancelled) return {503, "cancelled", error.what()};
        const bool is_theirs = error.kind() != ErrorKind::failed;
        return {is_theirs ? 400 : 500, is_theirs ? "bad_request" : "internal", error.what()};
    } catch (const std::bad_alloc&) {
        return memory_is_short();
    } catch (const std::exception& error) {
        return {500, "internal", error.what()};
    } catch (...) {
        return {500, "internal", "an unknown error"};
    }
}

}  // namespace

Problem make_problem(int status, const char* code, const char* message) noexcept {
    try {
        return {status, code, message};
    } catch (const std::bad_alloc&) {
        return memory_is_short();
    }
}

Problem current_problem() noexcept {
    try {
        return described();
    } catch (...) {  // there is no memory for the text
        return memory_is_short();
    }
}

}  // namespace vgg19::server
