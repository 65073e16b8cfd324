# Those of the named parameters that were given, by their names: what goes to the core as it is.
function Select-SPParameter {
    param(
        [System.Collections.IDictionary]
        $Bound,

        [string[]]
        $Name
    )
    $selected = @{}
    foreach ($one in $Name) {
        if ($Bound.ContainsKey($one)) {
            $selected[$one] = $Bound[$one]
        }
    }
    return $selected
}
