import Kernels
import Testing

@testable import NN

@Suite("optimizers")
struct OptimizerTests {
  private static let layout = {
    var layout = SlabLayout()
    layout.append(name: "0.dense.weight", shape: Shape(3, 2))
    layout.append(name: "0.dense.bias", shape: Shape(3))
    return layout
  }()

  /// A slab of a weight and a bias, each padded.
  private func slab(_ value: (Int) -> Float) -> Slab {
    let slab = Slab(OptimizerTests.layout)
    for (tensor, start) in zip(OptimizerTests.layout.tensors, [0, 6]) {
      slab.elements(of: tensor).indices.forEach {
        slab.elements(of: tensor)[$0] = value(start + $0)
      }
    }
    return slab
  }

  private func values(_ slab: Slab) -> [Float] {
    OptimizerTests.layout.tensors.flatMap { Array(slab.elements(of: $0)) }
  }

  /// As in optimizers.py: the weight is drawn and kept away from zero, the bias is zero.
  private func initialParameters() -> Slab {
    slab { i in
      let value = Oracle.draw(0, i)
      return i >= 6 ? 0 : value + (value < 0 ? -0.5 : 0.5)
    }
  }

  /// Summed over 4 samples, which is exact.
  private func gradients(step: Int) -> Slab { slab { 4 * Oracle.draw(step, $0) } }

  private func makeStep(
    _ number: Int, _ optimizer: any Optimizer, _ parameters: Slab, _ reference: OptimizerCase,
    kernels: KernelSet
  ) {
    let gradients = gradients(step: number)
    var terms = reference.clipping.terms(for: gradients, samples: 4, kernels: kernels)
    terms.l1 = reference.l1
    optimizer.step(
      parameters, gradients: gradients, terms, learningRate: reference.learningRate,
      kernels: kernels)
  }

  /// 20 steps round every parameter 20 times, to 2^-25 of itself, and settings once, to 2^-25 each:
  /// in all a good deal less than 1e-6 of the tensor's largest element.
  @Test(
    "20 steps follow PyTorch's in float64, those of LARS and LAMB their papers",
    arguments: OptimizerCase.all(), InstructionSet.supported)
  func oracle(reference: OptimizerCase, instructions: InstructionSet) {
    let kernels = KernelSet(instructions)
    let optimizer = reference.specification.optimizer(layout: OptimizerTests.layout)
    let parameters = initialParameters()
    #expect(reference.trajectory.map(\.step) == [5, 20])
    for step in 1...20 {
      makeStep(step, optimizer, parameters, reference, kernels: kernels)
      guard let expected = reference.trajectory.first(where: { $0.step == step })?.parameters
      else { continue }
      for range in [0..<6, 6..<9] {
        let largest = expected[range].map(\.magnitude).max()!
        for i in range {
          let error = (Double(values(parameters)[i]) - expected[i]).magnitude
          #expect(error <= 1e-6 * largest, "step \(step), element \(i)")
        }
      }
    }
    #expect(optimizer.steps == 20)
  }

  @Test("every kind of optimizer is held against its reference")
  func everyKind() {
    let names = Set(OptimizerCase.all().map(\.specification.name))
    #expect(names == Set(OptimizerSpecification.kinds.map { $0.name }))
  }

  @Test(
    "states and the number of steps are all that an optimizer remembers",
    arguments: OptimizerCase.all())
  func resumed(reference: OptimizerCase) {
    let kernels = KernelSet(InstructionSet.supported.last!)
    let first = reference.specification.optimizer(layout: OptimizerTests.layout)
    let parameters = initialParameters()
    for step in 1...7 { makeStep(step, first, parameters, reference, kernels: kernels) }

    let second = reference.specification.optimizer(layout: OptimizerTests.layout)
    #expect(first.states.map(\.name) == second.states.map(\.name))
    #expect(Set(first.states.map(\.name)).count == first.states.count)
    #expect(reference.specification.stateCount == first.states.count)
    for (a, b) in zip(first.states, second.states) {
      #expect(a.slab.layout == OptimizerTests.layout)
      #expect(a.slab.tensors.contains { $0 != 0 } && b.slab.tensors.allSatisfy { $0 == 0 })
      b.slab.tensors.update(Array(a.slab.tensors))
    }
    second.steps = first.steps
    let copy = slab { _ in 0 }
    copy.tensors.update(Array(parameters.tensors))
    for step in 8...12 {
      makeStep(step, first, parameters, reference, kernels: kernels)
      makeStep(step, second, copy, reference, kernels: kernels)
    }
    #expect(values(copy).map(\.bitPattern) == values(parameters).map(\.bitPattern))
  }

  @Test("only gradients above the limit are shortened; NaN is left to be seen")
  func clipNorm() {
    let kernels = KernelSet(.baseline)
    let gradients = slab { $0 == 1 ? 6 : $0 == 8 ? 8 : 0 }
    func scale(_ limit: Double) -> Float {
      GradientClipping.norm(limit).terms(for: gradients, samples: 2, kernels: kernels).scale
    }
    // The mean's norm is 5.
    #expect(scale(6) == 0.5)
    #expect((scale(1) - 0.1).magnitude <= 1e-7)
    #expect((scale(0.001) - 0.0001).magnitude <= 1e-10)
    gradients.elements(of: OptimizerTests.layout.tensors[0])[3] = .nan
    #expect(scale(1) == 0.5)
    #expect(
      GradientClipping.value(0.25).terms(for: gradients, samples: 2, kernels: kernels)
        == GradientTerms(scale: 0.5, limit: 0.25))
    #expect(
      GradientClipping.none.terms(for: gradients, samples: 2, kernels: kernels)
        == GradientTerms(scale: 0.5))
  }
}

extension OptimizerSpecification {
  /// A kind with settings under which it has all the states that it can have.
  init(everyStateOf name: String) {
    self.init(OptimizerSpecification.kind(name)!)
    for setting in OptimizerSpecification.kind(name)!.settings {
      switch setting.name {
      case "momentum": values[number: "momentum"] = 0.9
      case "centered": values[flag: "centered"] = true
      case "weight-decay": values[number: "weight-decay"] = 0.1
      default: break
      }
    }
  }
}
