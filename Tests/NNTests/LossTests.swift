import Foundation
import Kernels
import Testing

@testable import NN

struct LossTests {
  /// Losses and the gradient by the outputs, row by row.
  private func evaluate(
    _ loss: Loss, _ outputs: [[Float]], labels: [Int32] = [], values: [Float] = []
  ) -> (losses: [Float], gradient: [Float]) {
    let columns = outputs[0].count
    var x = outputs.flatMap { $0 }
    var gradient = [Float](repeating: .nan, count: x.count)
    var losses = [Float](repeating: .nan, count: outputs.count)
    x.withUnsafeMutableBufferPointer { x in
      gradient.withUnsafeMutableBufferPointer { gradient in
        labels.withUnsafeBufferPointer { labels in
          values.withUnsafeBufferPointer { values in
            loss.evaluate(
              Matrix(x.baseAddress!, rows: outputs.count, columns: columns),
              loss.usesLabels ? .labels(labels.baseAddress!) : .values(values.baseAddress!),
              losses: &losses,
              gradient: Matrix(gradient.baseAddress!, rows: outputs.count, columns: columns),
              kernels: KernelSet(.baseline))
          }
        }
      }
    }
    return (losses, gradient)
  }

  @Test("ten equal logits lose log 10", arguments: [Float(0), 3, -100, 1e6])
  func uniformLogits(logit: Float) {
    let logits = [Float](repeating: logit, count: 10)
    let (losses, gradient) = evaluate(.softmaxCrossEntropy, [logits, logits], labels: [0, 9])
    for loss in losses {
      #expect((Double(loss) - log(10)).magnitude <= 2 * Double(Float(2.3).ulp))
    }
    // 1/10 is rounded by the reciprocal, 9/10 once more.
    for (i, value) in gradient.enumerated() {
      let exact = i == 0 || i == 19 ? -0.9 : 0.1
      #expect((Double(value) - exact).magnitude <= unitRoundoff)
    }
  }

  @Test("squared error is the mean over outputs: (1 + 4) / 2")
  func knownSquares() {
    let (losses, gradient) = evaluate(.squaredError, [[1, 2], [0, 0]], values: [0, 4, 0, 0])
    #expect(losses == [2.5, 0])
    #expect(gradient == [1, -2, 0, 0])
  }

  @Test("a loss's gradient is its difference", arguments: Loss.all)
  func differences(loss: Loss) {
    let x = randomValues(3 * 7, 30).map { $0 * 4 }
    let values = randomValues(3 * 7, 31)
    let labels: [Int32] = [0, 6, 3]
    let rows = (0..<3).map { Array(x[$0 * 7..<($0 + 1) * 7]) }
    let (_, gradient) = evaluate(loss, rows, labels: labels, values: values)
    func exact(_ x: [Double], _ row: Int) -> Double {
      loss.reference(
        x, label: Int(labels[row]), values: values[row * 7..<(row + 1) * 7].map(Double.init)
      ).loss
    }
    let h = 1e-6
    for (row, outputs) in rows.enumerated() {
      for j in 0..<7 {
        var (above, below) = (outputs.map(Double.init), outputs.map(Double.init))
        above[j] += h
        below[j] -= h
        let difference = (exact(above, row) - exact(below, row)) / (2 * h)
        // Gradients are below 3 and go through fewer than 32 roundings (logits lie within 8 of
        // each other: see the kernels' own tests); the difference is good to 1e-8.
        #expect(
          (Double(gradient[row * 7 + j]) - difference).magnitude <= 3 * 32 * unitRoundoff + 1e-8)
      }
    }
  }

  @Test("the names of configurations say which targets they need")
  func names() throws {
    let overLabels = Loss.all.filter(\.usesLabels).map(\.name)
    #expect(Set(overLabels) == ["softmax-cross-entropy", "multi-class-hinge"])
    #expect(Set(Loss.all.map(\.name)) == Set(Loss.names))
    #expect("\(Loss.squaredError)" == "squared-error")
    #expect(
      "\(Loss.softmaxCrossEntropy)" == "{name: softmax-cross-entropy, label-smoothing: 0.0}")
    let huber = try Loss("huber", ["delta": 2])
    #expect(huber == (try Loss("huber", ["delta": 2.0])))
    #expect(huber != (try Loss("huber")))
    #expect(Loss.softmaxCrossEntropy.usesLabels && !Loss.squaredError.usesLabels)
  }

  @Test(
    "the largest output is the answer, the first among equals",
    arguments: [
      ([0, 1, 0], 1), ([2, 1, 0], 0), ([-3, -2, -1], 2), ([1, 1, 1], 0), ([0, 5, 5], 1),
      ([-.infinity, -.infinity, 0], 2), ([0, .infinity, 9], 1),
    ] as [([Float], Int32)])
  func countsCorrect(outputs: [Float], answer: Int32) {
    var rows = outputs + outputs + outputs
    rows.withUnsafeMutableBufferPointer {
      let matrix = Matrix($0.baseAddress!, rows: 3, columns: 3)
      #expect(countCorrect(matrix, labels: [0, 1, 2]) == 1)
      #expect(countCorrect(matrix, labels: [answer, answer, answer]) == 3)
      #expect(countCorrect(matrix, labels: [answer, (answer + 1) % 3, answer]) == 2)
      #expect(countCorrect(Matrix(matrix.base, rows: 0, columns: matrix.columns), labels: []) == 0)
    }
  }
}
