namespace Cluster.Contracts.Models;

/// <summary>The three ways to choose versions.</summary>
[GenerateSerializer, Alias("version-policy-kind")]
public enum VersionPolicyKind
{
    Latest,
    All,
    Specific,
}
