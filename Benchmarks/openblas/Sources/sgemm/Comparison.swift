import COpenBLAS
import CPeak
import Foundation
import Kernels

/// Lockstep's matrix products beside OpenBLAS's sgemm, on one core.
@main
struct Comparison {
  let kernels: KernelSet
  /// Seconds for each shape.
  let budget: Double

  static func main() throws {
    let environment = ProcessInfo.processInfo.environment
    openblas_set_num_threads(1)
    let comparison = Comparison(
      kernels: KernelSet(try InstructionSet.selected(by: environment)),
      budget: Double(environment["SECONDS_PER_SHAPE"] ?? "") ?? 0.5)
    comparison.printHeader()
    comparison.compare(Shape.all)
    if CommandLine.arguments.contains("--all") { comparison.compare(Shape.others) }
  }

  private func printHeader() {
    let core = String(cString: openblas_get_corename())
    print("\(kernels.instructions) kernels, OpenBLAS for \(core)")
    print("   m x    n x    k  form    lockstep  of peak  OpenBLAS  ratio   packed    ratio")
  }

  /// Nothing but independent multiply-adds, from registers; returns the operations.
  private func peak() -> Double {
    let rounds = 20_000
    return switch kernels.instructions {
    case .baseline: CPeak_baseline(rounds)
    case .avx2: CPeak_avx2(rounds)
    case .avx512: CPeak_avx512(rounds)
    }
  }

  /// One line a shape, in GFLOP/s. "packed" is ours with the right operand packed before, or, for
  /// x^T dy, summed over 8 shards. "of peak" is ours by what the multiply-add units do at most.
  private func compare(_ shapes: [Shape]) {
    var ratios: [Double] = []
    for shape in shapes {
      let operands = Operands(shape)
      var candidates = [{ operands.multiply(kernels) }, { operands.sgemm() }]
      if shape.form == .leftTransposed {
        candidates.append { operands.multiply(kernels, shards: 8) }
      } else {
        let packed = operands.packed(kernels)
        candidates.append { operands.multiply(kernels, packed) }
      }
      if shape.m == 1 { candidates.append { operands.sgemv() } }
      for candidate in candidates.dropFirst() {
        candidate()
        candidates[0]()
        precondition(operands.difference < 1, "\(shape): the results differ")
      }
      var times = interleaved(candidates + [{ _ = peak() }], seconds: budget)
      let peakRate = peak() / times.removeLast() * 1e-9
      let rates = times.map { shape.operations / $0 * 1e-9 }
      ratios.append(rates[0] / rates[1])
      print(
        text(shape.m, 4), "x", text(shape.n, 4), "x", text(shape.k, 4), "",
        shape.form.rawValue.padding(toLength: 6, withPad: " ", startingAt: 0),
        text(rates[0], 1, 9), text(100 * rates[0] / peakRate, 0, 6) + " %", text(rates[1], 1, 9),
        text(rates[0] / rates[1], 2, 6),
        text(rates[2], 1, 8), text(rates[2] / rates[1], 2, 8),
        rates.count > 3 ? "  sgemv \(text(rates[3], 1))" : "")
    }
    let mean = exp(ratios.map { log($0) }.reduce(0, +) / Double(ratios.count))
    print("geometric mean \(text(mean, 3)), least \(text(ratios.min()!, 2))")
  }

  private func text(_ value: Double, _ digits: Int, _ width: Int = 0) -> String {
    let text = String(format: "%.\(digits)f", value)
    return String(repeating: " ", count: max(0, width - text.count)) + text
  }

  private func text(_ value: Int, _ width: Int) -> String { text(Double(value), 0, width) }
}
