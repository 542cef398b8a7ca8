using System.Text.RegularExpressions;
using Cluster.Tests.Common;
using k8s;
using k8s.Models;

namespace Cluster.Unit.Deployment;

/// <summary>The objects of deploy/kubernetes/base, read as strictly as the API's types allow: an unknown or doubled field is a mistake.</summary>
internal static partial class KubernetesFiles
{
    public static readonly string Base = Path.Combine(TestPaths.Root, "deploy", "kubernetes", "base");

    private static readonly Lazy<IReadOnlyList<IKubernetesObject<V1ObjectMeta>>> All = new(
        () => [.. Resources().SelectMany(static file => Parse(File.ReadAllText(Path.Combine(Base, file))))]);

    public static IReadOnlyList<IKubernetesObject<V1ObjectMeta>> Objects => All.Value;

    public static IEnumerable<string> Resources() => Resource().Matches(File.ReadAllText(Path.Combine(Base, "kustomization.yaml"))).Select(static match => match.Groups[1].Value);

    public static IEnumerable<IKubernetesObject<V1ObjectMeta>> Parse(string text) =>
        KubernetesYaml.LoadAllFromString(text, strict: true).Cast<IKubernetesObject<V1ObjectMeta>>();

    public static IReadOnlyList<T> Of<T>() => [.. Objects.OfType<T>()];

    /// <summary>The pods that there are, by what makes them.</summary>
    public static IReadOnlyList<(string Name, V1PodTemplateSpec Pod)> Pods() =>
    [
        .. Of<V1Deployment>().Select(static one => (one.Metadata.Name, one.Spec.Template)),
        .. Of<V1StatefulSet>().Select(static one => (one.Metadata.Name, one.Spec.Template)),
    ];

    /// <summary>Whether a selector takes a pod.</summary>
    public static bool Takes(this V1LabelSelector selector, V1PodTemplateSpec pod) =>
        (selector.MatchLabels ?? new Dictionary<string, string>()).All(label => pod.Metadata.Labels.TryGetValue(label.Key, out var value) && value == label.Value)
        && (selector.MatchExpressions ?? []).All(rule => rule.OperatorProperty == "In" && pod.Metadata.Labels.TryGetValue(rule.Key, out var value) && rule.Values.Contains(value));

    [GeneratedRegex(@"^  - (\w+\.yaml)$", RegexOptions.Multiline)]
    private static partial Regex Resource();
}
