// A thread's floating-point mode: how it rounds, which exceptions trap, what it does with subnormal numbers.
#pragma once

#include <cstdint>

namespace vgg19::kernels {

/// The mode, and the flags of exceptions that have occurred: MXCSR on x86-64, FPCR and FPSR on AArch64. On
/// other processors all modes are the same.
class FloatingPointMode {
  public:
    /// The calling thread's.
    static FloatingPointMode current();

    /// Rounds to nearest, nothing traps, and subnormal numbers, read or computed, are zeros.
    static FloatingPointMode flushing_subnormals();

    /// Makes this the calling thread's mode, with these flags. Does nothing if the thread has the mode
    /// already.
    void apply() const;

  private:
    explicit FloatingPointMode(std::uint64_t bits) : bits_(bits) {}
    std::uint64_t bits_;
};

/// While this object exists, subnormal numbers are zeros in arithmetic of the thread that made it, and on all
/// threads of its parallel loops. Other arithmetic with them takes many times as long. Afterwards the thread
/// has its own mode and flags again.
class FlushSubnormals {
  public:
    FlushSubnormals() : previous_(FloatingPointMode::current()) {
        FloatingPointMode::flushing_subnormals().apply();
    }
    ~FlushSubnormals() { previous_.apply(); }
    FlushSubnormals(const FlushSubnormals&) = delete;
    FlushSubnormals& operator=(const FlushSubnormals&) = delete;

  private:
    FloatingPointMode previous_;
};

}  // namespace vgg19::kernels
