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
    let instructions = kernels.instructions
    let peak =
      switch instructions {
      case .baseline: CPeak_baseline
      case .avx2: CPeak_avx2
      case .avx512: CPeak_avx512
      }
    let rounds = 100_000
    let seconds = interleaved([{ _ = peak(rounds) }], seconds: 0.2)[0]
    print("\(instructions) kernels, OpenBLAS for \(String(cString: openblas_get_corename()))")
    print("peak of \(instructions): \(text(peak(rounds) / seconds * 1e-9, 1)) GFLOP/s")
    print("   m x    n x    k  form    lockstep  OpenBLAS  ratio   packed    ratio")
  }

  /// One line a shape, in GFLOP/s. "packed" is ours with the right operand packed before, or, for
  /// x^T dy, summed over 8 shards.
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
      let rates = interleaved(candidates, seconds: budget).map { shape.operations / $0 * 1e-9 }
      ratios.append(rates[0] / rates[1])
      print(
        text(shape.m, 4), "x", text(shape.n, 4), "x", text(shape.k, 4), "",
        shape.form.rawValue.padding(toLength: 6, withPad: " ", startingAt: 0),
        text(rates[0], 1, 9), text(rates[1], 1, 9), text(rates[0] / rates[1], 2, 6),
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
