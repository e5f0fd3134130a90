import Kernels

/// How parameters are moved against their gradient, and what is remembered from step to step.
///
/// A kind of optimizer is one file with its class, and one line in `OptimizerSpecification.kinds`.
/// What it does has to depend on its numbers and on shapes only: then all ranks, which have the same
/// gradients, make the same step.
public protocol Optimizer: AnyObject, SendableMetatype {
  /// What configurations call it.
  static var name: String { get }
  /// What it can be told, beside the learning rate.
  static var settings: [Setting] { get }
  /// The learning rate where none is given.
  static var defaultLearningRate: Double { get }
  /// What is wrong with values that are in their ranges one by one: a setting's name and a reason.
  static func fault(in values: SettingValues) -> (setting: String, reason: String)?

  /// An optimizer before its first step: all states are zero.
  init(layout: SlabLayout, _ values: SettingValues)

  /// Everything that it remembers, in the parameters' layout; with `steps`, all that a checkpoint
  /// needs.
  var states: [OptimizerState] { get }
  /// Steps made.
  var steps: Int { get set }

  /// Makes one step.
  /// - Parameters:
  ///   - gradients: summed up, in the parameters' layout.
  ///   - terms: what to make of them; an optimizer with weight decay adds its own.
  func step(
    _ parameters: Slab, gradients: Slab, _ terms: GradientTerms, learningRate: Float,
    kernels: KernelSet)
}

extension Optimizer {
  public static func fault(in values: SettingValues) -> (setting: String, reason: String)? { nil }
}

/// One number for each parameter that an optimizer remembers.
public struct OptimizerState {
  /// Such as `velocity`.
  public var name: String
  public var slab: Slab
}
