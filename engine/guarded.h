// What every public function that computes has around it.
#pragma once

#include <exception>
#include <new>

#include "kernels/common/callers_function.h"
#include "kernels/common/callers_threads.h"
#include "vgg19/error.h"
#include "vgg19/session.h"

namespace vgg19 {

/// Runs body() with the caller's threads. What the caller's functions throw leaves it as it is; other
/// exceptions become Error.
template <class Body>
void guarded(const ParallelFor& parallel_for, const Body& body) {
    const kernels::CallersThreads threads(parallel_for);
    try {
        body();
        kernels::CallersThreads::rethrow();
    } catch (const Error&) {
        throw;
    } catch (const std::bad_alloc&) {
        throw;
    } catch (const kernels::CallersException& callers) {
        std::rethrow_exception(callers.exception);
    } catch (const std::exception& error) {
        throw Error(ErrorKind::failed, error.what());
    }
}

}  // namespace vgg19
